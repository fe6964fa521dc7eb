//! Where tests lay out their folders: in memory where there is enough of it, because thousands of small files are made and
//! deleted, and some file systems take longer for that than all programs together. `TMPDIR` overrules it.

use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

/// What the folder of a test is called, up to its random part.
pub(crate) const PREFIX: &str = "secretree-test-";

/// Where Linux has files in memory.
const MEMORY: &str = "/dev/shm";

/// The least that has to be free there: containers often have 64 MiB.
const LEAST: u64 = 1 << 30;

/// An empty folder that is gone when the test is over.
pub(crate) fn folder() -> tempfile::TempDir {
    let place = match std::env::var_os("TMPDIR") {
        Some(place) => PathBuf::from(place),
        None if is_fit(Path::new(MEMORY)) => MEMORY.into(),
        None => std::env::temp_dir(),
    };
    tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(place)
        .expect("a temporary folder can be made")
}

/// Whether programs can be started there and there is room.
fn is_fit(place: &Path) -> bool {
    let refused = StatVfsMountFlags::NOEXEC | StatVfsMountFlags::RDONLY;
    statvfs(place).is_ok_and(|found| {
        let free = found.f_bavail.saturating_mul(found.f_frsize);
        !found.f_flag.intersects(refused) && free >= LEAST
    })
}
