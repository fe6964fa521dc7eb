//! Values for the later steps of a GitHub Actions job: `::add-mask::` commands for standard output, and definitions for
//! the file that `$GITHUB_ENV` names. Where that file is, and that the masks come first, is the caller's affair.

use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::variables::Variable;
use crate::error::{Failure, Result};
use crate::value::Value;

/// Variables that the runner sets itself in every step, over whatever the file says (GitHub Docs, Variables reference).
const OWN_NAMES: [&str; 48] = [
    "GITHUB_ACTION",
    "GITHUB_ACTION_PATH",
    "GITHUB_ACTION_REF",
    "GITHUB_ACTION_REPOSITORY",
    "GITHUB_ACTIONS",
    "GITHUB_ACTOR",
    "GITHUB_ACTOR_ID",
    "GITHUB_API_URL",
    "GITHUB_BASE_REF",
    "GITHUB_ENV",
    "GITHUB_EVENT_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_GRAPHQL_URL",
    "GITHUB_HEAD_REF",
    "GITHUB_JOB",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_REF",
    "GITHUB_REF_NAME",
    "GITHUB_REF_PROTECTED",
    "GITHUB_REF_TYPE",
    "GITHUB_REPOSITORY",
    "GITHUB_REPOSITORY_ID",
    "GITHUB_REPOSITORY_OWNER",
    "GITHUB_REPOSITORY_OWNER_ID",
    "GITHUB_RETENTION_DAYS",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SERVER_URL",
    "GITHUB_SHA",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_TRIGGERING_ACTOR",
    "GITHUB_WORKFLOW",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_WORKFLOW_SHA",
    "GITHUB_WORKSPACE",
    "RUNNER_ARCH",
    "RUNNER_DEBUG",
    "RUNNER_ENVIRONMENT",
    "RUNNER_NAME",
    "RUNNER_OS",
    "RUNNER_PERFLOG",
    "RUNNER_TEMP",
    "RUNNER_TOOL_CACHE",
    "RUNNER_TRACKING_ID",
    "RUNNER_WORKSPACE",
];

/// What a job is told.
pub struct Commands {
    /// Workflow commands for standard output, one a line: from then on the runner hides these texts in its log.
    pub masks: Zeroizing<Vec<u8>>,
    /// To be appended to the file that `$GITHUB_ENV` names, at the beginning of a line.
    pub definitions: Zeroizing<Vec<u8>>,
}

/// Makes the commands. Masked is what is sealed, line by line, but for `true` and `false`; text that stands readable in the
/// repository is no secret, and hiding `info` everywhere would make a log unreadable.
///
/// # Errors
/// A name that the runner keeps for itself; a value that is not UTF-8, which the runner would change.
pub fn write(variables: &[Variable]) -> Result<Commands> {
    let (mut masks, mut definitions) = (Buffer::default(), Buffer::default());
    let delimiter = delimiter();
    for variable in variables {
        refuse_name(variable)?;
        let value = variable.value.delivered();
        let text = value.expose_text().ok_or_else(|| refused_bytes(variable))?;
        if !variable.readable && !matches!(variable.value, Value::Bool(_)) {
            push_masks(text, &mut masks);
        }
        for part in [&variable.name, "<<", &delimiter, "\n", text, "\n", &delimiter, "\n"] {
            definitions.push(part.as_bytes());
        }
    }
    Ok(Commands {
        masks: masks.into_bytes(),
        definitions: definitions.into_bytes(),
    })
}

/// A line that no value holds: 128 random bits.
fn delimiter() -> String {
    let mut random = [0; 16];
    OsRng.fill_bytes(&mut random);
    format!("end_of_value_{:032x}", u128::from_be_bytes(random))
}

/// A mask for each line, without the blanks around it: programs print values without them too.
fn push_masks(text: &str, out: &mut Buffer) {
    let lines = text.split(['\n', '\r']).map(str::trim);
    for line in lines.filter(|line| !line.is_empty()) {
        out.push(b"::add-mask::");
        // Line ends would need `%0D` and `%0A`; a line has none.
        for (position, part) in line.split('%').enumerate() {
            if position > 0 {
                out.push(b"%25");
            }
            out.push(part.as_bytes());
        }
        out.push(b"\n");
    }
}

fn refuse_name(variable: &Variable) -> Result<()> {
    let Variable { name, path, .. } = variable;
    let reason = if name == "NODE_OPTIONS" {
        "the runner refuses to set"
    } else if OWN_NAMES.contains(&name.as_str()) {
        "the runner sets itself"
    } else {
        return Ok(());
    };
    let message = format!("`{path}` becomes the variable `{name}`, which {reason}");
    Err(Failure::failed(message)
        .hint("rename it, or declare `env: OTHER_NAME` for it under `secrets` in the policy")
        .into())
}

fn refused_bytes(variable: &Variable) -> Failure {
    let path = &variable.path;
    Failure::failed(format!(
        "the value of `{path}` is not UTF-8 text, and GitHub's variables hold nothing else"
    ))
    .hint(format!("it can be read by itself: secretree get ENV '{path}' > FILE"))
}

#[cfg(test)]
mod tests {
    use super::{Commands, delimiter, write};
    use crate::error::Failure;
    use crate::formats::readers::variables_of;
    use crate::value::Value;

    fn masks(commands: &Commands) -> &str {
        std::str::from_utf8(&commands.masks).expect("text")
    }

    #[test]
    fn each_line_is_masked_without_its_blanks_and_with_percent_escaped() {
        let values = ["sk", "  one\r\n\n\ttwo two\n", "50%0A", "", " \n "];
        let commands = write(&variables_of(&values)).expect("written");
        let expected = "::add-mask::sk\n::add-mask::one\n::add-mask::two two\n::add-mask::50%250A\n";
        assert_eq!(masks(&commands), expected);
    }

    #[test]
    fn what_is_no_secret_is_not_masked() {
        let mut variables = variables_of(&["info", "", "", "sealed"]);
        variables[0].readable = true;
        variables[1].value = Value::Bool(true);
        variables[2].value = Value::Integer(5432);
        let commands = write(&variables).expect("written");
        assert_eq!(masks(&commands), "::add-mask::5432\n::add-mask::sealed\n");
        let text = String::from_utf8(commands.definitions.to_vec()).expect("text");
        assert_eq!(text.lines().filter(|line| line.contains("<<")).count(), 4);
    }

    #[test]
    fn definitions_end_at_a_line_that_is_new_each_time() {
        let commands = write(&variables_of(&["EOF\nV1<<x"])).expect("written");
        let text = String::from_utf8(commands.definitions.to_vec()).expect("text");
        let (first, rest) = text.split_once('\n').expect("lines");
        let delimiter_there = first.strip_prefix("V0<<").expect("a name");
        assert_eq!(rest, format!("EOF\nV1<<x\n{delimiter_there}\n"));
        assert_eq!(delimiter_there.len(), delimiter().len());
        assert_ne!(delimiter_there, delimiter());
    }

    #[test]
    fn names_of_the_runner_and_bytes_are_refused_by_path() {
        let message = |name: &str, value: &[u8]| {
            let mut variables = variables_of(&[value]);
            name.clone_into(&mut variables[0].name);
            let Err(error) = write(&variables) else { return None };
            Some(error.downcast::<Failure>().expect("a failure").message().to_owned())
        };
        let refused = |text: &str| Some(text.to_owned());
        assert_eq!(
            message("NODE_OPTIONS", b"x"),
            refused("`v0` becomes the variable `NODE_OPTIONS`, which the runner refuses to set")
        );
        assert_eq!(
            message("GITHUB_SHA", b"x"),
            refused("`v0` becomes the variable `GITHUB_SHA`, which the runner sets itself")
        );
        assert_eq!(
            message("V0", b"\xff"),
            refused("the value of `v0` is not UTF-8 text, and GitHub's variables hold nothing else")
        );
        for name in ["GITHUB_TOKEN", "GITHUB_CLIENT_SECRET", "CI", "RUNNER"] {
            assert_eq!(message(name, b"x"), None, "{name}");
        }
    }
}
