//! Where plaintext may go: not where git could take it, and never over a file of ours.

use std::path::Path;

use secretree::error::{Failure, Result};
use secretree::files::real_path;
use secretree::vault::Vault;

/// Refuses a place that plaintext must not go to; `force` lets it into the work tree.
pub(super) fn check(vault: &Vault<'_>, output: &Path, force: bool) -> Result<()> {
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
