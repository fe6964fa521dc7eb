//! The job that `--format github` writes for: the file that its runner reads variables from.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};
use zeroize::Zeroizing;

use crate::context::Context;

/// A running job of GitHub Actions.
pub(super) struct Job {
    file: PathBuf,
}

/// What the job's file is to hold in addition.
pub(super) struct Definitions {
    file: PathBuf,
    text: Zeroizing<Vec<u8>>,
}

impl Job {
    /// The job that this process is a step of. Failure: `GITHUB_ENV` names no file.
    pub(super) fn find(context: &Context) -> Result<Self> {
        let Some(file) = context.variables.github_env() else {
            return Err(
                Failure::failed("`GITHUB_ENV` is not set: this is no step of a GitHub Actions job")
                    .hint("elsewhere: --format shell, dotenv or json")
                    .into(),
            );
        };
        let file = file.to_owned();
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok(Self { file }),
            Ok(_) => Err(Failure::failed(format!("`{}`, which `GITHUB_ENV` names, is no file", file.display())).into()),
            Err(error) => Err(failed("read", &file, &error).into()),
        }
    }

    /// `text` for this job.
    pub(super) fn definitions(self, text: Zeroizing<Vec<u8>>) -> Definitions {
        Definitions { file: self.file, text }
    }
}

impl Definitions {
    /// Appends them, at the beginning of a line. Failure: the file cannot be read or written.
    pub(super) fn append(self) -> Result<()> {
        let appended = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&self.file)
            .and_then(|mut file| {
                let mut text = Zeroizing::new(Vec::with_capacity(self.text.len() + 1));
                if !is_at_line_start(&mut file)? {
                    text.push(b'\n');
                }
                text.extend_from_slice(&self.text);
                file.write_all(&text)
            });
        appended.map_err(|error| failed("append to", &self.file, &error).into())
    }
}

/// Whether what is appended begins a line.
fn is_at_line_start(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

fn failed(verb: &str, file: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!(
        "cannot {verb} `{}`, which `GITHUB_ENV` names: {error}",
        file.display()
    ))
}
