//! `decrypt`: a whole environment, readable.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use secretree::error::{Failure, Result};
use secretree::files::{Access, real_path, replace};
use secretree::formats::{Variables, dotenv, json, shell, variables, yaml};
use secretree::names::EnvironmentName;
use secretree::vault::Vault;
use zeroize::Zeroizing;

use crate::context::Context;

/// Print an environment decrypted, as YAML, JSON or variables
///
/// `yaml` is the text as it was written, byte for byte, with comments. The other formats include the
/// environments that this one extends.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree decrypt prod
  secretree decrypt prod --format dotenv -o .env
  secretree decrypt prod --format json --flat | jq -r .DATABASE_URL
  eval \"$(secretree decrypt dev --format shell)\""
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
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    args.check()?;
    let (loaded, name) = context.policy_for_one(args.environment.as_deref())?;
    let mut vault = context.vault(&loaded)?;
    if let Some(output) = &args.output {
        check_output(&vault, output, args.force)?;
    }
    let text = args.text(context, &mut vault, &name)?;
    context.tell(&mut vault);
    match &args.output {
        None => context.ui.data(&text)?,
        Some(output) => {
            replace(output, &text, Access::Private)?;
            context.ui.note(&format!("wrote {}", output.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn check(&self) -> Result<()> {
        if self.merged && self.format != Format::Yaml {
            return Err(
                Failure::usage("`--merged` goes with `--format yaml`; the other formats are merged always").into(),
            );
        }
        if self.flat && self.format != Format::Json {
            return Err(Failure::usage("`--flat` goes with `--format json`; the other formats are flat always").into());
        }
        Ok(())
    }

    fn text(&self, context: &Context, vault: &mut Vault<'_>, name: &EnvironmentName) -> Result<Zeroizing<Vec<u8>>> {
        if self.format == Format::Yaml && !self.merged {
            let file = vault.load(name)?;
            let mut text = vault.text(&file)?;
            return Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes()));
        }
        let layers = vault.layers(name)?;
        let view = vault.view(&layers)?;
        let rules = vault.rules(name)?;
        let flat = || -> Result<Variables> {
            let variables = variables(view.entries(), rules.variables())?;
            warn_left_out(context, &variables);
            Ok(variables)
        };
        Ok(match self.format {
            Format::Yaml => yaml::write(&view),
            Format::Json if self.flat => json::write_flat(&flat()?.kept),
            Format::Json => json::write_nested(&view),
            Format::Dotenv => dotenv::write(&flat()?.kept)?,
            Format::Shell => shell::write(&flat()?.kept),
        })
    }
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

/// Plaintext does not go where git could take it, and never over a file of ours.
fn check_output(vault: &Vault<'_>, output: &Path, force: bool) -> Result<()> {
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let shown = folder.display();
    let folder =
        real_path(folder).map_err(|error| Failure::from(error).hint(format!("make the folder: mkdir -p '{shown}'")))?;
    let target = folder.join(output.file_name().unwrap_or_default());
    if let Some(own) = vault.own_file(&target) {
        let message = format!(
            "`{}` is a file of secretree; plaintext never replaces it",
            own.display()
        );
        return Err(Failure::failed(message).hint("choose another FILE").into());
    }
    let Some(repository) = vault.repository() else {
        return Ok(());
    };
    let Ok(relative) = target.strip_prefix(repository.root()) else {
        return Ok(());
    };
    if relative.components().any(|part| part.as_os_str() == ".git") {
        let message = format!("`{}` is inside git's own folder", output.display());
        return Err(Failure::failed(message).hint("choose another FILE").into());
    }
    if force || (repository.is_ignored(relative)? && !repository.is_tracked(relative)?) {
        return Ok(());
    }
    let message = format!(
        "`{}` is inside the work tree and git does not ignore it",
        output.display()
    );
    Err(Failure::failed(message)
        .hint(format!(
            "echo '/{}' >> .gitignore, choose a FILE outside, or say --force",
            relative.display()
        ))
        .into())
}
