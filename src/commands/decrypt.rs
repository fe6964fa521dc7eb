//! `decrypt`: a whole environment, readable.

mod destination;
mod github;
mod template;
mod writer;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use secretree::error::Result;
use secretree::files::{Access, replace};
use secretree::formats::Variables;
use secretree::names::EnvironmentName;
use secretree::vault::Vault;

use writer::Writer;

use crate::context::Context;

/// Print an environment decrypted, as YAML, JSON or variables
///
/// `yaml` is the text as it was written, byte for byte, with comments. The other formats include the
/// environments that this one extends. A value that a format cannot carry is an error that names its path.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
A template is MiniJinja: {{ database.password }} is a value by path, {{ DATABASE_PASSWORD }} by variable,
`env` the mapping of all variables. Filters: base64 json yaml shell url indent; default first items join
last length lines lower replace trim upper. What does not exist is an error. It reads no other file.

Examples:
  secretree decrypt prod
  secretree decrypt prod --format dotenv -o .env
  secretree decrypt prod --format json --flat | jq -r .DATABASE_URL
  eval \"$(secretree decrypt dev --format shell)\"
  docker run --env-file <(secretree decrypt dev --format docker) shop
  secretree decrypt prod --format kubernetes --name shop | kubectl apply -f -
  secretree decrypt prod --format sops --recipient age1… -o prod.sops.yaml
  secretree decrypt prod --format github            in a step: masked variables for the later steps
  secretree decrypt prod --template nginx.conf.j2 -o /run/nginx.conf
  secretree decrypt prod --at HEAD~3                as it stood three commits ago, with the policy of then"
)]
pub(crate) struct Args {
    /// The environment; without it $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// What to write
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Yaml)]
    format: Format,
    /// Write to FILE, which only you can read; refused inside the work tree unless git ignores it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write to FILE also inside the work tree, where git could take it
    #[arg(long, requires = "output")]
    force: bool,
    /// With `yaml`: include the environments that this one extends
    #[arg(long)]
    merged: bool,
    /// With `json`: variables instead of nested mappings
    #[arg(long)]
    flat: bool,
    /// With `kubernetes`: the name of the Secret
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// With `kubernetes`: the namespace of the Secret
    #[arg(long, value_name = "NS")]
    namespace: Option<String>,
    /// With `sops`: a public key that opens the file, age or SSH; repeatable
    #[arg(long, value_name = "AGE_KEY")]
    recipient: Vec<String>,
    /// As it stood in REV: anything that git resolves, or a day (YYYY-MM-DD)
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Write what this template makes of the values
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "merged", "flat", "name", "namespace", "recipient"])]
    template: Option<PathBuf>,
}

/// What `decrypt` writes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The text as it was written
    Yaml,
    /// Typed values in nested mappings
    Json,
    /// NAME=value lines for dotenv readers
    Dotenv,
    /// export NAME='value' lines for a POSIX shell
    Shell,
    /// NAME=value lines as they stand, for docker run --env-file
    Docker,
    /// Masks on standard output, variables appended to $GITHUB_ENV
    Github,
    /// The manifest of a Secret
    Kubernetes,
    /// A sops file, sealed for --recipient
    Sops,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let writer = Writer::chosen(args, context)?;
    let Some(revision) = &args.at else {
        let (loaded, name) = context.policy_for_one(args.environment.as_deref())?;
        let mut vault = context.vault(&loaded)?;
        check_output(args, &vault)?;
        return finish(args, context, writer, &mut vault, &name);
    };
    let past = context.past(revision)?;
    check_output(args, &context.vault(past.now())?)?;
    past.environment(context.environment(args.environment.as_deref())?)
        .and_then(|name| finish(args, context, writer, &mut context.past_vault(&past)?, &name))
        .map_err(|error| past.explained(error))
}

/// Plaintext goes where it may go, as the policy says that holds now.
fn check_output(args: &Args, vault: &Vault<'_>) -> Result<()> {
    match &args.output {
        // What is sealed again may stand where git takes it.
        Some(output) => destination::check(vault, output, args.force || args.format == Format::Sops),
        None => Ok(()),
    }
}

fn finish(
    args: &Args,
    context: &Context,
    writer: Writer,
    vault: &mut Vault<'_>,
    name: &EnvironmentName,
) -> Result<ExitCode> {
    let written = writer.write(context, vault, name)?;
    context.tell(vault);
    match &args.output {
        None => context.ui.data(&written.text)?,
        Some(output) => {
            replace(output, &written.text, Access::Private)?;
            context.ui.note(&format!("wrote {}", output.display()));
        }
    }
    if let Some(definitions) = written.definitions {
        definitions.append()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Readable values that must not become variables which loaders and interpreters act on.
pub(crate) fn warn_left_out(context: &Context, variables: &Variables) {
    if variables.left_out.is_empty() {
        return;
    }
    let shown: Vec<_> = variables
        .left_out
        .iter()
        .map(|left| format!("`{}` ({})", left.path, left.name))
        .collect();
    let text = format!(
        "left out, for they stand readable and programs act on such variables: {}",
        shown.join(", ")
    );
    context.ui.warning(&text);
}
