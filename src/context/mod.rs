//! What surrounds one run of the program: the folder it works in, the environment variables, the flags. Finds
//! identities and the places of trust and settings; what they mean is the library's to say.

mod globals;
pub(crate) mod history;
mod hooks;
mod identities;
mod names;
mod new_identity;
mod past;
mod person;
pub(crate) mod place;
mod plans;
mod policy_change;
mod scrub;
mod variables;
mod workspace;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};

pub(crate) use globals::Globals;
pub(crate) use hooks::HooksFor;
pub(crate) use identities::{Place, places};
pub(crate) use names::{checked_name, checked_operand, no_name};
pub(crate) use new_identity::{OwnIdentity, identity_text, refuse_existing};
pub(crate) use past::Past;
pub(crate) use plans::{Step, environments, origin_of};
pub(crate) use policy_change::shown_diff;
pub(crate) use variables::{Variables, is_private};

use crate::ui::Ui;

/// The surroundings of one run.
pub(crate) struct Context {
    /// The way to the person.
    pub(crate) ui: Ui,
    /// The environment variables, as they were at the start.
    pub(crate) variables: Variables,
    folder: PathBuf,
    identity_flags: Vec<PathBuf>,
    /// Key files that were looked at: each is warned about once.
    seen_key_files: RefCell<BTreeSet<PathBuf>>,
}

impl Context {
    /// Goes to the folder of `-C` and takes in flags and environment. Failure: no such folder.
    pub(crate) fn new(globals: Globals) -> Result<Self> {
        let variables = Variables::read();
        scrub::remove_private(&variables);
        let ui = Ui::new(&globals.manner, variables.allow_color());
        if let Some(folder) = &globals.directory {
            std::env::set_current_dir(folder).map_err(|error| {
                let shown = folder.display();
                match error.kind() {
                    ErrorKind::NotFound => Failure::failed(format!("`{shown}` does not exist")),
                    _ => Failure::failed(format!("cannot work in `{shown}`: {error}")),
                }
            })?;
        }
        let folder = std::env::current_dir()
            .map_err(|error| Failure::failed(format!("the current folder cannot be used: {error}")))?;
        Ok(Self {
            ui,
            variables,
            folder,
            identity_flags: globals.identities,
            seen_key_files: RefCell::default(),
        })
    }

    /// The folder the program works in, absolute.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where identities may be, in order. Failure: a setting that cannot be read.
    pub(crate) fn identity_places(&self) -> Result<Vec<Place>> {
        places(&self.identity_flags, &self.variables)
    }

    /// Where `keygen` and `init` put a new identity. Failure: neither `XDG_CONFIG_HOME` nor `HOME` is set.
    pub(crate) fn identity_file(&self) -> Result<PathBuf> {
        match self.variables.config_home() {
            Some(config) => Ok(config.join("secretree/identity.txt")),
            None => Err(Failure::failed("there is no home folder to keep an identity in")
                .hint("set `HOME`, or name a file: `secretree keygen -o FILE`")
                .into()),
        }
    }

    /// The environment that is meant, as text: the argument, else `SECRETREE_ENV`. `None`: the policy's default.
    pub(crate) fn environment<'a>(&'a self, argument: Option<&'a str>) -> Result<Option<&'a str>> {
        match argument {
            Some(argument) => Ok(Some(argument)),
            None => self.variables.environment(),
        }
    }
}
