//! Runs the recipes of the pages below: each section in a repository of its own, block after block, with the tools that
//! it names. A block that is neither run nor a file of one that is has to be called untried.
//!
//! `<!-- run by tests/docs: NAME -->` before a block leads to `tests/docs/recipes/NAME.sh`: lines of a shell, run in the
//! folder `shop`, in which the block replaces the line `# the block of the page`. The lines behind it fail if the recipe
//! did not do what it is for; what it printed is in `../printed`. `# needs: TOOL…` names what CI has and another machine may lack, `# optional: TOOL…` what
//! CI may lack too, and `# given: NAME`, at the first of a section, who lays out the repository: `tests/docs/given`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

use crate::newcomer::Newcomer;
use crate::page::{Block, Mark, blocks};
use crate::tools::{is_in_path, require};
use crate::{pages, root};

/// Where the block goes in a recipe.
const BLOCK: &str = "# the block of the page\n";

/// What every recipe begins with. `sh -e` does not see that `! command` failed; `not` does.
const START: &str = "not() { if \"$@\"; then exit 99; fi; }\nset -x\ncd shop\n";

/// A recipe as `tests/docs/recipes` has it.
struct Recipe {
    text: String,
}

impl Recipe {
    #[track_caller]
    fn named(name: &str) -> Self {
        let text = file(&format!("recipes/{name}.sh"));
        assert!(text.contains(BLOCK), "{name}: no place for the block");
        Self { text }
    }

    /// The words behind `# KEY: ` in it.
    fn words<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        let texts = lines.filter_map(move |line| line.strip_prefix(key)?.strip_prefix(": "));
        texts.flat_map(str::split_whitespace)
    }

    fn with(&self, block: &str) -> String {
        format!(
            "{START}{}",
            self.text.replace(BLOCK, &format!("{{\n{block}}} > ../printed\n"))
        )
    }
}

#[track_caller]
fn file(path: &str) -> String {
    let path = root().join("tests/docs").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a page's sections, all of them, and tells what failed. `least` is how many blocks have to be run.
#[track_caller]
fn page_works(name: &str, least: usize) {
    let page = &pages()[Path::new(name)];
    let blocks = blocks(page);
    let mut sections: BTreeMap<&str, Vec<&Block<'_>>> = BTreeMap::new();
    for block in &blocks {
        sections.entry(block.section).or_default().push(block);
    }
    let mut wrong: Vec<_> = blocks.iter().filter_map(not_marked).collect();
    for (section, blocks) in &sections {
        if let Err(failure) = section_works(blocks, &Recipe::named) {
            wrong.push(format!("`{section}`: {failure}"));
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    let run = blocks.iter().filter(|block| matches!(block.mark, Mark::Run(_)));
    let run = run.count();
    assert!(run >= least, "only {run} blocks of {name} are run");
}

/// The complaint about a block that nobody runs and that does not say so.
fn not_marked(block: &Block<'_>) -> Option<String> {
    // What a command prints is typed by nobody.
    let honest = block.language == "text" || block.mark != Mark::None || block.lead.to_lowercase().contains("untried");
    (!honest).then(|| {
        let first = block.content.lines().next().unwrap_or_default();
        format!("`{}`: neither run nor called untried: {first}", block.section)
    })
}

/// Runs the blocks of a section in one repository.
fn section_works(blocks: &[&Block<'_>], recipe_named: &dyn Fn(&str) -> Recipe) -> Result<(), String> {
    let names = blocks.iter().filter_map(|block| match &block.mark {
        Mark::Run(name) => Some(recipe_named(name)),
        Mark::None | Mark::File(_) => None,
    });
    let recipes: Vec<_> = names.collect();
    let words = |key| recipes.iter().flat_map(move |recipe| recipe.words(key));
    let needs: BTreeSet<_> = words("needs").collect();
    if recipes.is_empty() || !require(&Vec::from_iter(needs)) || !words("optional").all(is_in_path) {
        return Ok(());
    }
    let newcomer = Newcomer::new();
    let given = words("given").next().unwrap_or("shop");
    succeeds(&newcomer.run(&file(&format!("given/{given}.sh"))))?;
    let mut recipes = recipes.iter();
    for block in blocks {
        match &block.mark {
            Mark::None => {}
            Mark::File(path) => newcomer.write(&format!("shop/{path}"), &block.content),
            Mark::Run(_) => {
                let recipe = recipes.next().expect("made above, one for each of these blocks");
                succeeds(&newcomer.run(&recipe.with(&block.content)))?;
            }
        }
    }
    Ok(())
}

fn succeeds(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{printed}\n{error}", output.status))
}

#[test]
fn the_integrations_work() {
    page_works("docs/integrations.md", 10);
}

#[test]
fn the_migrations_work() {
    page_works("docs/migrating.md", 8);
}

#[test]
fn access_works() {
    page_works("docs/access.md", 7);
}

#[test]
fn adopting_works() {
    page_works("docs/adopting.md", 3);
}

#[test]
fn git_does_what_its_page_says() {
    page_works("docs/git.md", 4);
}

#[test]
fn what_went_wrong_is_put_right() {
    page_works("docs/runbook.md", 5);
}

#[test]
fn the_audit_answers() {
    page_works("docs/audit.md", 4);
}

#[test]
fn no_recipe_is_forgotten() {
    let pages = pages();
    let marks: Vec<_> = pages
        .values()
        .flat_map(|page| blocks(page))
        .map(|block| block.mark)
        .collect();
    let folder = std::fs::read_dir(root().join("tests/docs/recipes")).unwrap();
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path
            .file_stem()
            .and_then(std::ffi::OsStr::to_str)
            .expect("a name in ASCII");
        let uses = marks.iter().filter(|mark| **mark == Mark::Run(name.to_owned())).count();
        assert_eq!(uses, 1, "blocks that are run by `{name}`");
    }
}

#[test]
fn a_recipe_that_does_not_work_is_found() {
    let page = "## Tool\n\n<!-- file for tests/docs: ops/name -->\n\n```text\nSESSION\n```\n\n\
                <!-- run by tests/docs: it -->\n\n\
                ```sh\nsecretree run dev -- printenv \"$name\" > out || true\n```\n";
    let blocks = blocks(page);
    let blocks: Vec<_> = blocks.iter().collect();
    for (after, works) in [
        ("test -f out", true),
        ("test -s out", false),
        ("not test -s out", true),
        ("not test -f out\ntrue", false),
        ("false\ntrue", false),
    ] {
        let recipe = |name: &str| {
            assert_eq!(name, "it");
            Recipe {
                text: format!("# needs: sh\nname=$(cat ops/name)\n{BLOCK}{after}\n"),
            }
        };
        let result = section_works(&blocks, &recipe);
        assert_eq!(result.is_ok(), works, "{after}: {result:?}");
    }
}

#[test]
fn a_block_that_nobody_runs_has_to_say_so() {
    for (page, complaint) in [
        ("## A\n\nSo:\n\n```sh\nmake\n```\n", true),
        ("## A\n\nUntried:\n\n```sh\nmake\n```\n", false),
        ("## A\n\nUntried.\n\n## B\n\n```sh\nmake\n```\n", true),
        ("## A\n\n<!-- run by tests/docs: a -->\n\n```sh\nmake\n```\n", false),
    ] {
        let found = blocks(page).iter().any(|block| not_marked(block).is_some());
        assert_eq!(found, complaint, "{page}");
    }
}
