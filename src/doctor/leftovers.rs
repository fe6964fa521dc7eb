//! What a command left that was interrupted. Nothing is finished or removed here: that is for commands that write.

use std::path::{Path, PathBuf};

use super::Check;
use super::finding::{Code, Finding};
use super::scene::Scene;
use crate::cure::{aside, command};
use crate::error::Failure;
use crate::files::{JOURNAL, is_pending, path_beside, read_through};

const PENDING: Code = Code::warning(
    "journal-pending",
    "a change of several files was interrupted; the next command finishes it",
);
const TRACKED: Code = Code::error(
    "journal-tracked",
    "git tracks a journal, so no command of this machine wrote it",
);
const REFUSED: Code = Code::error("journal-refused", "a journal does not fit the files beside it");
const LEFTOVER: Code = Code::warning(
    "leftover",
    "an interrupted command left a new content that was never put in place",
);

pub(super) const CHECK: Check = Check {
    name: "leftovers",
    codes: &[&PENDING, &TRACKED, &REFUSED, &LEFTOVER],
    find,
};

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let Ok(loaded) = scene.loaded else { return Vec::new() };
    let folder = &loaded.root_folder;
    let files = [scene.policy_files(), scene.environment_files()].concat();
    if is_pending(folder) {
        return vec![journal(scene, folder, &files)];
    }
    let left = files.iter().filter_map(|file| path_beside(file).ok());
    let left = left.filter(|path| path.symlink_metadata().is_ok());
    let finding = |path: PathBuf| {
        let shown = scene.shown(&path);
        LEFTOVER
            .finding(&shown, format!("`{shown}` was left by a command that was interrupted"))
            .cure(command("rm -f --", &[scene.here(&path)]))
            .hint("unless a command writes at this very moment; the next one that does removes it too")
    };
    left.map(finding).collect()
}

fn journal(scene: &Scene<'_>, folder: &Path, files: &[PathBuf]) -> Finding {
    let path = folder.join(JOURNAL);
    let shown = scene.shown(&path);
    let here = scene.here(&path);
    let is_tracked = scene
        .in_repository(&path)
        .is_some_and(|(repository, relative)| repository.is_tracked(relative).unwrap_or(false));
    if is_tracked {
        return TRACKED
            .finding(
                &shown,
                format!("`{shown}` is a file of the repository; a journal never is"),
            )
            .cure(command("git rm --quiet --force --", &[here]))
            .hint(format!("look at who committed it: git log -- {shown}"));
    }
    let relative = files.iter().filter_map(|file| file.strip_prefix(folder).ok());
    let refused = relative.filter_map(|file| read_through(folder, file).err()).next();
    if let Some(error) = refused {
        let aside = aside(here, "refused");
        return REFUSED
            .finding(&shown, Failure::from(error).message())
            .cure(command("mv --", &[here, &aside]))
            .hint("`git status` shows which files were replaced already");
    }
    let message = format!("`{shown}` says that a change of several files was interrupted");
    PENDING.finding(&shown, message).cure("secretree list".to_owned())
}
