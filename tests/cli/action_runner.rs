//! What a GitHub runner does with `action.yml` and with the jobs that docs/ci.md shows: inputs and contexts become
//! variables, scripts are run by bash as the runner runs them, and the files for variables, `PATH` and outputs are read
//! back. Knows the few expressions that stand there and fails on others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

use crate::output::Output;
use crate::sandbox::Person;

/// Text by name: variables, inputs, what contexts hold (`secrets.SECRETREE_KEY`).
pub(crate) type Texts = BTreeMap<String, String>;

/// A step of an action or a job.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Step {
    pub(crate) id: Option<String>,
    pub(crate) uses: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) shell: Option<String>,
    pub(crate) r#if: Option<String>,
    pub(crate) working_directory: Option<String>,
    #[serde(default)]
    pub(crate) env: Texts,
    #[serde(default)]
    pub(crate) with: BTreeMap<String, serde_yaml::Value>,
}

#[derive(Deserialize)]
struct Input {
    default: String,
}

#[derive(Deserialize)]
struct Runs {
    steps: Vec<Step>,
}

/// `action.yml`, as far as a runner needs it.
#[derive(Deserialize)]
pub(crate) struct Action {
    inputs: BTreeMap<String, Input>,
    runs: Runs,
}

impl Action {
    /// The one of this repository.
    pub(crate) fn ours() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
        serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }

    /// Its steps.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.runs.steps
    }
}

/// Puts the program into a folder as the action does, so that it builds none.
pub(crate) fn bring_program(folder: &Path) {
    let program = folder.join("bin/secretree");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    // A second job of the same machine finds it there.
    if !program.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_secretree"), program).unwrap();
    }
}

/// A machine that runs one job in somebody's work folder.
pub(crate) struct Runner {
    machine: Person,
    contexts: Texts,
    /// The variables of the job, also those that steps added.
    pub(crate) variables: Texts,
    /// The folders that steps put in front of `PATH`, newest first.
    pub(crate) path: Vec<PathBuf>,
    /// What scripts printed, each ended.
    pub(crate) outputs: Vec<Output>,
}

impl Runner {
    /// With these contexts, `vars.AWS_REGION` for instance. The program is not in its `PATH`.
    pub(crate) fn new(machine: &Person, contexts: &[(&str, &str)]) -> Self {
        let temporary = machine.folder().join("runner");
        std::fs::create_dir_all(&temporary).unwrap();
        let mut texts: Texts = contexts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        texts.insert("runner.temp".into(), temporary.to_str().unwrap().to_owned());
        texts.insert("runner.os".into(), "Linux".into());
        texts.insert("runner.arch".into(), "X64".into());
        Self {
            machine: machine.clone(),
            contexts: texts,
            variables: Texts::new(),
            path: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The folder that `RUNNER_TEMP` names.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.machine.folder().join("runner")
    }

    /// Runs the only job of a workflow up to the step that fails; whether none did. Actions of others are passed over.
    pub(crate) fn run_workflow(&mut self, workflow: &str) -> bool {
        #[derive(Deserialize)]
        struct Workflow {
            jobs: BTreeMap<String, Runs>,
        }
        let workflow: Workflow = serde_yaml::from_str(workflow).unwrap();
        let (_, job) = workflow.jobs.into_iter().next().unwrap();
        job.steps.iter().all(|step| match &step.uses {
            Some(action) if action.starts_with("OWNER/secretree@") => {
                let with = step.with.iter().map(|(name, value)| {
                    let text = value.as_str().expect("inputs in the recipes are text");
                    (name.clone(), self.expand(text))
                });
                self.run_action(&with.collect())
            }
            Some(_) => true,
            None => self.run_step(step),
        })
    }

    /// Runs our action with these inputs up to the step that fails; whether none did.
    pub(crate) fn run_action(&mut self, with: &Texts) -> bool {
        let action = Action::ours();
        for (name, input) in &action.inputs {
            let text = with.get(name).unwrap_or(&input.default).clone();
            self.contexts.insert(format!("inputs.{name}"), text);
        }
        let unknown = with.keys().find(|name| !action.inputs.contains_key(*name));
        assert!(unknown.is_none(), "the action has no input {unknown:?}");
        let wanted = |runner: &Self, step: &Step| step.r#if.as_ref().is_none_or(|condition| runner.judge(condition));
        action
            .steps()
            .iter()
            .all(|step| !wanted(self, step) || self.run_step(step))
    }

    /// Everything that was printed, as the log shows it: without the commands that register masks, and masked.
    pub(crate) fn log(&self) -> String {
        let printed: Vec<_> = self
            .outputs
            .iter()
            .map(|output| output.stdout() + &output.stderr())
            .collect();
        let (commands, lines): (Vec<_>, Vec<_>) = printed
            .iter()
            .flat_map(|text| text.lines())
            .partition(|line| line.starts_with("::add-mask::"));
        let mut log = lines.join("\n");
        for command in commands {
            let mask = command["::add-mask::".len()..]
                .replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%25", "%");
            log = log.replace(&mask, "***");
        }
        log
    }

    /// `inputs.NAME != ''`, the one condition there is.
    fn judge(&self, condition: &str) -> bool {
        let name = condition
            .strip_suffix(" != ''")
            .unwrap_or_else(|| panic!("the runner of the tests does not know `{condition}`"));
        !self.lookup(name).is_empty()
    }

    fn lookup(&self, name: &str) -> &str {
        match self.contexts.get(name) {
            Some(text) => text,
            // As on GitHub: a secret or variable that is not set is empty.
            None if name.starts_with("secrets.") || name.starts_with("vars.") => "",
            None => panic!("the runner of the tests does not know `{name}`"),
        }
    }

    fn expand(&self, text: &str) -> String {
        let expression = Regex::new(r"\$\{\{ ([\w.-]+) \}\}").unwrap();
        let expanded = expression.replace_all(text, |found: &regex::Captures<'_>| self.lookup(&found[1]).to_owned());
        expanded.into_owned()
    }

    fn run_step(&mut self, step: &Step) -> bool {
        let script = step.run.as_ref().expect("a step runs or uses");
        assert!(!script.contains("${{"), "an expression becomes text of a script");
        let file = |name: &str| self.temporary().join(name);
        std::fs::write(file("script.sh"), script).unwrap();
        let options = match step.shell.as_deref() {
            Some("bash") => &["--noprofile", "--norc", "-eo", "pipefail"][..],
            None => &["-e"],
            Some(other) => panic!("the runner of the tests does not know the shell `{other}`"),
        };
        let folder = self.expand(step.working_directory.as_deref().unwrap_or("."));
        let mut run = self
            .machine
            .command("bash", options.iter().copied())
            .operand(file("script.sh"))
            .inside(&folder)
            .env("PATH", self.search_path())
            .env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR"))
            .env("RUNNER_TEMP", self.temporary())
            .reveals();
        for name in ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT"] {
            std::fs::write(file(name), "").unwrap();
            run = run.env(name, file(name));
        }
        let own = step.env.iter().map(|(name, text)| (name.clone(), self.expand(text)));
        for (name, value) in self.variables.clone().into_iter().chain(own.collect::<Vec<_>>()) {
            run = run.env(&name, value);
        }
        let output = run.run();
        let success = output.exit_code() == Some(0);
        self.outputs.push(output);
        self.take_files(step.id.as_deref());
        success
    }

    /// What a step left in its files takes effect, and the files are gone.
    fn take_files(&mut self, id: Option<&str>) {
        let take = |name: &str| {
            let file = self.temporary().join(name);
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::remove_file(file).unwrap();
            text
        };
        let (variables, path, outputs) = (take("GITHUB_ENV"), take("GITHUB_PATH"), take("GITHUB_OUTPUT"));
        self.variables.extend(assignments(&variables));
        for folder in path.lines() {
            self.path.insert(0, PathBuf::from(folder));
        }
        for (name, text) in assignments(&outputs) {
            let id = id.expect("a step with outputs has an id");
            self.contexts.insert(format!("steps.{id}.outputs.{name}"), text);
        }
    }

    /// `PATH` without the folder that cargo built the program into.
    fn search_path(&self) -> std::ffi::OsString {
        let built = Path::new(env!("CARGO_BIN_EXE_secretree")).parent().unwrap();
        let machine = self.machine.sandbox().path();
        let usual = std::env::split_paths(&machine).filter(|folder| folder != built);
        std::env::join_paths(self.path.iter().cloned().chain(usual)).unwrap()
    }
}

/// The lines `NAME=VALUE`, and `NAME<<END` with the lines up to `END`, of a file that a runner reads.
fn assignments(text: &str) -> Texts {
    let mut texts = Texts::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let heredoc = line.find("<<").filter(|at| !line[..*at].contains('='));
        let (name, value) = match heredoc {
            Some(at) => {
                let value: Vec<_> = lines.by_ref().take_while(|next| *next != &line[at + 2..]).collect();
                (&line[..at], value.join("\n"))
            }
            None => line
                .split_once('=')
                .map(|(name, value)| (name, value.to_owned()))
                .unwrap_or_else(|| panic!("a runner refuses the line `{line}`")),
        };
        texts.insert(name.to_owned(), value);
    }
    texts
}
