//! `edit`: a whole environment in the person's editor.

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::secret::Secret;
use secretree::vault::{Changes, not_utf8};

use crate::context::Context;
use crate::editor::{Edited, EditorSession};
use crate::ui::escaped;

/// Edit the values of an environment in your editor
///
/// The editor gets the decrypted text in a private folder, memory-backed where the system has one, which is
/// removed afterwards. Values that did not change keep their ciphertext; unchanged text writes nothing.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
The editor is $SECRETREE_EDITOR, $VISUAL or $EDITOR, split into words as a shell splits. A graphical editor
must be told to wait: EDITOR='code --wait'. If the text cannot be used, the editor opens again after Enter.

Examples:
  secretree edit prod
  EDITOR=nano secretree edit prod --commit"
)]
pub(crate) struct Args {
    /// The environment; without it $SECRETREE_ENV, then the policy's default
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, name) = context.policy_for_one(args.environment.as_deref())?;
    let mut vault = context.vault(&loaded)?;
    let file = vault.load(&name)?;
    let basis = context.or_first(&mut vault, &file)?;
    let environment = vault.open(&basis)?;
    context.tell(&mut vault);
    environment.refuse_outsiders()?;
    let text = Secret::new(environment.text()?.as_bytes().to_vec());
    let shown = format!("{}.yaml", name.as_str().replace('/', "-"));
    let session = EditorSession::new(&shown, text, &context.ui, &context.variables)?;
    let edited = session.edit(|text| {
        let text =
            std::str::from_utf8(text.expose()).map_err(|error| not_utf8(&file.relative, text.expose(), &error))?;
        let (text, changes) = environment.replace_text(text)?;
        vault.refuse_readable_over_token(&file, &changes.readable)?;
        Ok((text, changes))
    })?;
    let Edited::Changed((text, changes)) = edited else {
        context.ui.note("unchanged; nothing was written");
        return Ok(ExitCode::SUCCESS);
    };
    let saved = vault.lock().and_then(|lock| vault.save(&lock, &[(&file, text)]));
    if let Err(error) = saved {
        let kept = session.keep();
        return Err(Failure::from(error)
            .hint(format!(
                "your text is kept in `{}`; remove it when you are done",
                kept.display()
            ))
            .into());
    }
    drop(session);
    context.tell(&mut vault);
    say(context, name.as_str(), &changes);
    if args.commit {
        context.commit(
            &vault,
            std::slice::from_ref(&file.relative),
            &message(name.as_str(), &changes),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn say(context: &Context, name: &str, changes: &Changes) {
    for (sign, paths) in [("+", &changes.added), ("~", &changes.changed), ("-", &changes.removed)] {
        for path in paths {
            context.ui.note(&escaped(&format!("{sign} {name}:{path}")));
        }
    }
    for path in &changes.readable {
        let text = format!("note: `{name}:{path}` stands readable, as `plaintext` in the policy says");
        context.ui.note(&escaped(&text));
    }
    for path in &changes.kept_encrypted {
        let text = format!(
            "`{name}:{path}` may be readable by the policy but is encrypted; to change that: secretree unset {name} {path}, then set it"
        );
        context.ui.detail(&escaped(&text));
    }
    if changes.is_empty() {
        context.ui.note(&format!("`{name}`: no value changed"));
    }
}

/// Names the paths that changed, as far as they fit into one line.
fn message(name: &str, changes: &Changes) -> String {
    let all: Vec<_> = changes
        .added
        .iter()
        .chain(&changes.changed)
        .chain(&changes.removed)
        .collect();
    let shown: Vec<_> = all.iter().take(5).map(ToString::to_string).collect();
    let more = if all.len() > shown.len() {
        format!(" and {} more", all.len() - shown.len())
    } else {
        String::new()
    };
    if shown.is_empty() {
        format!("secrets: edit {name}")
    } else {
        format!("secrets: edit {name}: {}{more}", shown.join(", "))
    }
}
