//! What `decrypt` was asked to write, checked before anything is opened, and the writing of it. How a format quotes is left
//! to `formats`.

use jiff::Timestamp;
use secretree::crypto::public_key::PublicKey;
use secretree::error::{Failure, Result};
use secretree::formats::kubernetes::Title;
use secretree::formats::template::Template;
use secretree::formats::{
    Variables, docker, dotenv, github, json, kubernetes, shell, sops, variables, variables_of_any_bytes, yaml,
};
use secretree::names::EnvironmentName;
use secretree::vault::Vault;
use zeroize::Zeroizing;

use super::github::{Definitions, Job};
use super::{Args, Format, template, warn_left_out};
use crate::context::Context;

/// One way to write an environment.
pub(super) enum Writer {
    /// The file's own text.
    OwnText,
    /// The merged view as YAML.
    Yaml,
    /// The merged view as JSON.
    Json,
    /// Variables, in a format that needs to know nothing more.
    Flat(fn(&Variables) -> Result<Zeroizing<Vec<u8>>>),
    /// A manifest.
    Kubernetes(Title),
    /// Masks and definitions for this job.
    Github(Job),
    /// A sops file for these keys.
    Sops(Vec<PublicKey>),
    /// What a template makes of it.
    Template(Template),
}

/// What a writer made.
pub(super) struct Written {
    /// For standard output, or the file of `-o`.
    pub(super) text: Zeroizing<Vec<u8>>,
    /// What comes after that, for the job's own file.
    pub(super) definitions: Option<Definitions>,
}

impl From<Zeroizing<Vec<u8>>> for Written {
    fn from(text: Zeroizing<Vec<u8>>) -> Self {
        let definitions = None;
        Self { text, definitions }
    }
}

impl Writer {
    /// The writer that the arguments ask for. Failure: arguments that do not fit each other; no such template; no job.
    pub(super) fn chosen(args: &Args, context: &Context) -> Result<Self> {
        check(args)?;
        if let Some(file) = &args.template {
            return Ok(Self::Template(template::read(file)?));
        }
        Ok(match args.format {
            Format::Yaml if args.merged => Self::Yaml,
            Format::Yaml => Self::OwnText,
            Format::Json if args.flat => Self::Flat(|variables| Ok(json::write_flat(&variables.kept))),
            Format::Json => Self::Json,
            Format::Dotenv => Self::Flat(|variables| dotenv::write(&variables.kept)),
            Format::Shell => Self::Flat(|variables| Ok(shell::write(&variables.kept))),
            Format::Docker => Self::Flat(|variables| docker::write(&variables.kept)),
            Format::Kubernetes => Self::Kubernetes(title(args)?),
            Format::Github => Self::Github(Job::find(context)?),
            Format::Sops => Self::Sops(recipients(args)?),
        })
    }

    /// Writes the environment. Readable values that become no variables are warned about.
    pub(super) fn write(self, context: &Context, vault: &mut Vault<'_>, name: &EnvironmentName) -> Result<Written> {
        if matches!(self, Self::OwnText) {
            let file = vault.load(name)?;
            let mut text = vault.text(&file)?;
            return Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes()).into());
        }
        let layers = vault.layers(name)?;
        let view = vault.view(&layers)?;
        let rules = vault.rules(name)?;
        let warned = |variables: Variables| {
            warn_left_out(context, &variables);
            variables
        };
        let flat = || variables(view.entries(), rules.variables()).map(warned);
        Ok(match self {
            Self::OwnText | Self::Yaml => yaml::write(&view).into(),
            Self::Json => json::write_nested(&view).into(),
            Self::Flat(write) => write(&flat()?)?.into(),
            Self::Kubernetes(title) => {
                let variables = variables_of_any_bytes(view.entries(), rules.variables()).map(warned)?;
                kubernetes::write(&title, &variables.kept)?.into()
            }
            Self::Sops(recipients) => {
                let plugins = context.plugins(vault.repository().map(|repository| repository.root()));
                sops::write(&view, &recipients, &plugins, Timestamp::now().as_second())?.into()
            }
            Self::Github(job) => {
                let commands = github::write(&flat()?.kept)?;
                Written {
                    text: commands.masks,
                    definitions: Some(job.definitions(commands.definitions)),
                }
            }
            Self::Template(source) => {
                let variables = variables(view.entries(), rules.variables());
                template::write(source, view, variables)?.into()
            }
        })
    }
}

fn check(args: &Args) -> Result<()> {
    let format = args.format;
    let message = if args.merged && format != Format::Yaml {
        "`--merged` goes with `--format yaml`; the other formats are merged always"
    } else if args.flat && format != Format::Json {
        "`--flat` goes with `--format json`; the other formats are flat always"
    } else if args.name.is_some() && format != Format::Kubernetes {
        "`--name` goes with `--format kubernetes`"
    } else if args.namespace.is_some() && format != Format::Kubernetes {
        "`--namespace` goes with `--format kubernetes`"
    } else if !args.recipient.is_empty() && format != Format::Sops {
        "`--recipient` goes with `--format sops`"
    } else if args.output.is_some() && format == Format::Github {
        "`--output` does not go with `--format github`: the runner reads the masks on standard output"
    } else {
        return Ok(());
    };
    Err(Failure::usage(message).into())
}

fn recipients(args: &Args) -> Result<Vec<PublicKey>> {
    if args.recipient.is_empty() {
        return Err(Failure::usage("`--format sops` needs the keys that open the file")
            .hint("--recipient AGE_KEY, more than once for several")
            .into());
    }
    // What is no public key is not repeated: it could be a private one.
    let parsed = args.recipient.iter().map(|text| {
        PublicKey::parse(text).map_err(|reason| Failure::usage(format!("what `--recipient` names {reason}")).into())
    });
    parsed.collect()
}

fn title(args: &Args) -> Result<Title> {
    match &args.name {
        Some(name) => Title::new(name, args.namespace.as_deref()),
        None => Err(Failure::usage("`--format kubernetes` needs the name of the Secret")
            .hint("--name NAME")
            .into()),
    }
}
