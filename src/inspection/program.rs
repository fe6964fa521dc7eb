//! How the program is called where a cure is read: so that the environment's name means the same there.

use std::path::Path;

use crate::names::EnvironmentName;
use crate::policy::LoadedPolicy;

/// `secretree`, or `secretree -C FOLDER` where `name` means another environment in `here`, or none.
pub(super) fn program(here: &Path, loaded: &LoadedPolicy, name: &EnvironmentName) -> String {
    let meant = loaded.resolve_environment(name.as_str(), here, None);
    if here.starts_with(&loaded.root_folder) && meant.is_ok_and(|meant| meant == *name) {
        return "secretree".to_owned();
    }
    let folder = loaded.root_folder.strip_prefix(here).ok();
    let folder = folder.filter(|below| !below.as_os_str().is_empty());
    match folder.unwrap_or(&loaded.root_folder).to_str().map(shlex::try_quote) {
        Some(Ok(folder)) => format!("secretree -C {folder}"),
        _ => "secretree".to_owned(),
    }
}
