//! `trust`: a person's word for an environment key.

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::vault::{Origin, Verdict};

use crate::context::Context;
use crate::ui::escaped;

/// Trust the key that an environment has now
///
/// Needed where the key cannot be followed back to one this machine knows. Shows who made it and when; ask
/// that person before you agree.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Where no person is, SECRETREE_TRUST=ENV:DROP_BOX says the same; the drop box is the `age1…` text in the
environment file's footer.

Examples:
  secretree trust prod"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let (loaded, name) = context.policy_for(&args.environment, None)?;
    let mut vault = context.vault(&loaded)?;
    let file = vault.load(&name)?;
    let examined = vault.examine(&file)?;
    let origin = examined
        .origin
        .as_ref()
        .map_or_else(|| "no commit yet".to_owned(), Origin::shown);
    let mut plan = vec![
        format!(
            "the key of `{name}` is {} ({})",
            examined.drop_box.id(),
            escaped(&origin)
        ),
        format!("its drop box is {}", examined.drop_box),
    ];
    match examined.verdict {
        Verdict::Trusted => {
            context.ui.note(&format!("{}: trusted already", plan[0]));
            return Ok(ExitCode::SUCCESS);
        }
        Verdict::Open(Some(objection)) => plan.push(escaped(&objection).into_owned()),
        Verdict::Open(None) => plan.push("nothing here speaks against it".to_owned()),
        Verdict::Unopened => plan.push("no identity here opens it, so it cannot be checked".to_owned()),
    }
    if !context.ui.confirm(&plan, "trust it?")? {
        return Err(Failure::failed("it is not trusted; nothing was noted").into());
    }
    vault.settle_trust(&name, &examined.drop_box)?;
    context.ui.note(&format!("trusted: {}", examined.drop_box.id()));
    Ok(ExitCode::SUCCESS)
}
