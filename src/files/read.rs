//! Reading files that somebody else prepared: only regular ones, only up to a bound, so that neither a named
//! pipe nor a huge file stops the program.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::{explain, shown};
use crate::error::{Failure, Result};
use crate::secret::Secret;

/// The bytes of the regular file `path`, at most `limit` of them.
///
/// # Errors
/// `Failed` if it does not exist, is no regular file (a pipe, a device, a folder), or is larger than `limit`.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_if_present(path, limit)?.ok_or_else(|| Failure::failed(format!("`{}` does not exist", shown(path))).into())
}

/// Like [`read_bounded`], but `None` if there is nothing at `path`.
///
/// # Errors
/// `Failed` if it is no regular file, larger than `limit`, or unreadable.
pub fn read_if_present(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    // Non-blocking, because opening a named pipe would wait for a writer.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("open flags fit an int");
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explain("read", path, &error).into()),
    };
    let metadata = file.metadata().map_err(|error| explain("read", path, &error))?;
    if !metadata.is_file() {
        return Err(Failure::failed(format!("`{}` is not a regular file", shown(path))).into());
    }
    if metadata.len() > limit {
        return Err(too_large(path, limit).into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| explain("read", path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path, limit).into());
    }
    Ok(Some(bytes))
}

/// The bytes of whatever a person named, pipes and devices included (`--file <(…)`, `/dev/stdin`), at most
/// `limit` of them. May wait for whoever writes the pipe; no buffer is left unwiped.
///
/// # Errors
/// `Failed` if it does not exist, is unreadable or gives more than `limit` bytes.
pub fn read_secret_stream(path: &Path, limit: usize) -> Result<Secret> {
    let mut file = File::open(path).map_err(|error| explain("read", path, &error))?;
    let mut chunks: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    let mut length = 0;
    loop {
        let mut chunk = Zeroizing::new(vec![0; 64 << 10]);
        let read = match file.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(explain("read", path, &error).into()),
        };
        if read == 0 {
            break;
        }
        length += read;
        if length > limit {
            return Err(too_large(path, limit as u64).into());
        }
        chunk.truncate(read);
        chunks.push(chunk);
    }
    let mut bytes = Vec::with_capacity(length);
    chunks.iter().for_each(|chunk| bytes.extend_from_slice(chunk));
    Ok(Secret::new(bytes))
}

fn too_large(path: &Path, limit: u64) -> Failure {
    let limit = match limit {
        _ if limit >= 1 << 20 => format!("{} MiB", limit >> 20),
        _ if limit >= 1 << 10 => format!("{} KiB", limit >> 10),
        _ => format!("{limit} bytes"),
    };
    Failure::failed(format!("`{}` is larger than {limit}", shown(path)))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::path::Path;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{read_bounded, read_if_present, read_secret_stream};

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(read_if_present(&path, 4).unwrap().is_none());
        assert!(
            read_bounded(&path, 4)
                .unwrap_err()
                .to_string()
                .ends_with("does not exist")
        );
        File::create(&path).unwrap().write_all(b"12345").unwrap();
        assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
        assert!(
            read_bounded(&path, 4)
                .unwrap_err()
                .to_string()
                .ends_with("larger than 4 bytes")
        );
        assert!(read_bounded(folder.path(), 4).is_err());
        assert!(
            read_bounded(Path::new("/dev/zero"), 4)
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
    }

    #[test]
    fn a_named_pipe_does_not_stop_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(
            read_bounded(&path, 4)
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
    }

    #[test]
    fn a_stream_is_read_to_its_bound() {
        assert!(read_secret_stream(Path::new("/dev/zero"), 1 << 20).is_err());
        assert!(read_secret_stream(Path::new("/dev/null"), 1).unwrap().is_empty());
    }
}
