//! Where the keys of `recipient add` come from: the command line, a file, standard input. What they are is the library's
//! to say; a private key is refused, and shown nowhere.

use std::io::{IsTerminal as _, stdin};
use std::path::{Path, PathBuf};

use secretree::error::{Failure, Result};
use secretree::files::read_secret_stream;
use secretree::names::RecipientName;
use secretree::policy::{MOST_KEYS, NamedKey, read_keys};

use crate::context::Context;
use crate::ui::escaped;

/// The largest text of keys, in bytes.
const LARGEST: usize = 1 << 20;

/// The keys that were named, each once.
pub(super) fn given(
    context: &Context,
    name: &RecipientName,
    operands: &[String],
    file: Option<&PathBuf>,
) -> Result<Vec<NamedKey>> {
    let mut keys = Vec::new();
    for operand in operands.iter().filter(|operand| *operand != "-") {
        let key = NamedKey::parse(operand).map_err(|reason| refused_operand(name, &reason))?;
        keys.push(key);
    }
    if operands.iter().any(|operand| operand == "-") {
        if stdin().is_terminal() {
            context.ui.note("paste public keys, one a line; Ctrl-D ends them");
        }
        keys.extend(read(context, name, Path::new("/dev/stdin"), "standard input")?);
    }
    if let Some(file) = file {
        keys.extend(read(context, name, file, &format!("`{}`", file.display()))?);
    }
    if keys.len() > MOST_KEYS {
        return Err(Failure::failed(format!("more than {MOST_KEYS} keys at once")).into());
    }
    let mut unique: Vec<NamedKey> = Vec::new();
    for key in keys {
        if unique.iter().all(|known| known.key != key.key) {
            unique.push(key);
        }
    }
    Ok(unique)
}

/// A private key in the command line is known to the shell's history and every process here.
fn refused_operand(name: &RecipientName, reason: &str) -> Failure {
    let failure = Failure::usage(format!("a KEY {reason}"));
    if reason.contains("private") {
        return failure.hint("whoever could read this command line may have it");
    }
    failure.hint(format!(
        "an SSH key is one word with quotes: secretree recipient add {name} 'ssh-ed25519 AAAA…'"
    ))
}

fn read(context: &Context, name: &RecipientName, path: &Path, shown: &str) -> Result<Vec<NamedKey>> {
    let text = read_secret_stream(path, LARGEST).map_err(|error| {
        let device = format!("`{}`", path.display());
        Failure::from(error).rephrase(|reason| reason.replace(&device, shown))
    })?;
    let list = read_keys(&text).map_err(|reason| {
        let failure = Failure::failed(format!("{shown} {reason}; nothing was written"));
        match reason.contains("private") || reason.contains("encrypted") {
            true => failure.hint(format!(
                "`secretree whoami`, `age-keygen -y FILE` and `ssh-keygen -y -f FILE` print the public key: … | secretree \
                 recipient add {name} -"
            )),
            false => failure.hint("one public key a line: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`"),
        }
    })?;
    if list.beside_private {
        let note = format!("note: {shown} holds a private key; only its `# public key:` line was taken");
        context.ui.note(&escaped(&note));
    }
    for left_out in &list.left_out {
        context.ui.note(&escaped(&format!("left out: {left_out}")));
    }
    Ok(list.keys)
}
