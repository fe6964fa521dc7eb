//! Where plaintext could stay behind: the editor, and the folder that `edit` puts the text into.

use std::path::Path;

use rustix::fs::{Access, access};
use rustix::process::{Resource, getrlimit};

use super::finding::{Code, Finding};
use super::scene::Scene;
use super::{Check, Editor};
use crate::files::is_in_memory;

const NO_EDITOR: Code = Code::warning("editor-unusable", "`edit` has no editor that it can start and wait for");
const COPIES: Code = Code::warning(
    "editor-keeps-copies",
    "the editor keeps copies of what it edits, whatever it is told",
);
const UNKNOWN: Code = Code::warning(
    "editor-unknown",
    "nothing is known of the copies that the editor may keep",
);
const ON_DISK: Code = Code::warning(
    "edit-on-disk",
    "no memory-backed folder is there for the text that `edit` opens",
);
const CORE_DUMPS: Code = Code::warning("core-dumps", "the memory of this program may be written to a core file");

pub(super) const CHECK: Check = Check {
    name: "plaintext",
    codes: &[&NO_EDITOR, &COPIES, &UNKNOWN, &ON_DISK, &CORE_DUMPS],
    find,
};

fn find(scene: &mut Scene<'_>) -> Vec<Finding> {
    let runtime = scene.surroundings.runtime_folder.as_deref();
    let found = [editor(&scene.surroundings.editor), on_disk(runtime), core_dumps()];
    found.into_iter().flatten().collect()
}

fn editor(editor: &Editor) -> Option<Finding> {
    match editor {
        Editor::Unusable(failure, cure) => {
            let finding = NO_EDITOR.finding("EDITOR", failure.message());
            Some(match cure {
                Some(cure) => finding.cure(cure.clone()),
                None => finding.hints(failure.hints()),
            })
        }
        Editor::Usable {
            name,
            notice: Some(notice),
            ..
        } => Some(COPIES.finding(name, notice)),
        Editor::Usable {
            name,
            leaves_nothing: false,
            ..
        } => {
            let message = format!("it is not known how to keep `{name}` from leaving swap, undo or backup files");
            let hint = "turn them off for `*/secretree-*/*` in its settings, or use vim, nano or emacs for `edit`: SECRETREE_EDITOR";
            Some(UNKNOWN.finding(name, message).hint(hint))
        }
        Editor::Usable { .. } => None,
    }
}

fn on_disk(runtime: Option<&Path>) -> Option<Finding> {
    let mut places = runtime.into_iter().chain([Path::new("/dev/shm")]);
    let is_fit = |place: &Path| is_in_memory(place) && access(place, Access::WRITE_OK).is_ok();
    if places.any(is_fit) {
        return None;
    }
    let message = "neither XDG_RUNTIME_DIR nor `/dev/shm` is in memory: `edit` puts its text on a disk for a while";
    Some(ON_DISK.finding("XDG_RUNTIME_DIR", message).hint(
        "set XDG_RUNTIME_DIR to a memory-backed folder of your own, or keep temporary files on an encrypted disk",
    ))
}

/// The program turns them off before it does anything else.
fn core_dumps() -> Option<Finding> {
    if getrlimit(Resource::Core).current == Some(0) {
        return None;
    }
    let finding = CORE_DUMPS.finding("core", "core files of this program cannot be turned off here");
    Some(finding.hint("something forbids it to lower its own limits: ulimit -c 0"))
}
