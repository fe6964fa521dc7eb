//! `recipient import`: a list of people from a forge or an identity provider becomes the members of a group. Shows who
//! comes and goes, and what that gives and takes, before it writes.

mod lines;
mod report;

use std::io::{IsTerminal as _, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secretree::access::{Enrollment, KeyText, Reason};
use secretree::error::{Failure, Result};
use secretree::files::{read_if_present, read_secret_stream};
use secretree::names::RecipientName;
use secretree::policy::Policy;
use secretree::roster::{LARGEST_ROSTER, Person, Roster};
use secretree::secret::Secret;

use super::{group_to_fill, say_next};
use crate::context::{Context, Step};
use crate::ui::escaped;
use report::Report;

/// The largest text of one person's keys, in bytes.
const LARGEST_KEYS: u64 = 1 << 20;
/// The most people that the message of a commit names.
const MOST_NAMED: usize = 6;

/// Make the people of a list the members of a group: GitHub's members or SCIM, on standard input
///
/// Who is in the list joins the group, who is not leaves it; groups and machines in it stay. People are recognised
/// by `email` (SCIM), by a login that is their name in the policy, or by a public key that the policy has. Somebody
/// new needs keys in DIR, as `LOGIN.keys`: what https://github.com/LOGIN.keys shows. Keys of those who are there are
/// never changed. Shows everything and asks; only lines of the policy change.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
All pages of the list have to be there, one behind the other. A SCIM group names its members by `id`: give the
users too. Who left everything, and not only a team, is taken out with secretree offboard NAME.

With --json: {\"group\", \"dry_run\": bool, \"joins\": [{\"name\", \"listed_as\", \"by\": \"address\"|\"login\"|\"key\"|\"new\", \"email\",
\"keys\": [{\"kind\", \"label\", \"public_key\"}]}], \"leaves\": [{\"name\", \"inactive\", \"still_member\"}], \"stays\": [NAME...], \"kept\":
[NAME...], \"left_out\": [{\"listed_as\", \"reason\"}], \"gains\" and \"losses\": [{\"name\", \"reads\", \"writes\", \"maintainer\"}]}; `email`
and `keys` are those of somebody new, `kept` the groups and machines that stay.

Examples:
  gh api --paginate orgs/ORG/teams/TEAM/members | secretree recipient import --group developers --keys keys
  curl -sf \"$SCIM/Users?filter=…\" | secretree recipient import --group developers --dry-run"
)]
pub(super) struct Args {
    /// The group
    #[arg(long, value_name = "GROUP")]
    group: String,
    /// Where the public keys of people are, a file LOGIN.keys each
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The list is whole, though it looks cut: nobody, a full page, or nobody of the group is in it
    #[arg(long)]
    whole: bool,
    /// Write nothing: show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Commit the policy
    #[arg(long, conflicts_with = "dry_run")]
    commit: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    if let Some(folder) = args.keys.as_ref().filter(|folder| !folder.is_dir()) {
        let message = format!(
            "`{}` is no folder; `--keys` names one that has LOGIN.keys files",
            folder.display()
        );
        return Err(Failure::failed(message).into());
    }
    let roster = read_roster()?;
    let (lock, loaded) = context.locked_policy()?;
    let group = group_to_fill(&loaded.policy, &args.group)?;
    let mut keys = |person: &Person, name: &RecipientName| keys_in(args.keys.as_deref()?, person, name);
    let enrollment = Enrollment::plan(&loaded, &group, &roster, &mut keys, args.whole)?;
    let mut vault = context.vault(&enrollment.change.after)?;
    let remarks = lines::of(&enrollment);
    let message = message(&enrollment);
    let step = Step {
        policy: Some(&enrollment.change),
        plans: &[],
        since: None,
        remarks: &remarks,
        question: "write this?",
        message: args.commit.then_some(message.as_str()),
    };
    let is_done = enrollment.change.is_empty();
    if is_done || args.dry_run {
        context.show(&step);
    } else {
        context.carry_out(&mut vault, lock, &step)?;
    }
    if context.ui.wants_json() {
        context.ui.json(&Report::new(&enrollment, args.dry_run))?;
    }
    match (is_done, args.dry_run) {
        (true, _) => context.ui.note(&format!(
            "`{group}` has the people of the list already; nothing was written"
        )),
        (false, true) => context.ui.note("nothing was written"),
        (false, false) => {
            say_next(
                context,
                args.commit,
                &concerned(&loaded.policy, &enrollment.change.after.policy),
            );
            say_who_has_gone(context, &enrollment);
        }
    }
    say_where_keys_go(args, context, &enrollment);
    Ok(ExitCode::SUCCESS)
}

/// The list on standard input. It may be a file of secrets by mistake, so it is treated as one.
fn read_roster() -> Result<Roster> {
    if stdin().is_terminal() {
        return Err(
            Failure::usage("`recipient import` reads a list of people on standard input")
                .hint("gh api --paginate orgs/ORG/teams/TEAM/members | secretree recipient import --group GROUP")
                .into(),
        );
    }
    let device = Path::new("/dev/stdin");
    let text = read_secret_stream(device, LARGEST_ROSTER);
    let text =
        text.map_err(|error| Failure::from(error).rephrase(|reason| reason.replace("`/dev/stdin`", "standard input")))?;
    let roster = Roster::read(text.expose());
    Ok(roster.map_err(|error| {
        Failure::from(error).rephrase(|reason| format!("standard input {reason}; nothing was written"))
    })?)
}

/// The keys of somebody, in a file that is called as they log in. The login is one of our names but for its case, so it
/// leads to no other folder.
fn keys_in(folder: &Path, person: &Person, name: &RecipientName) -> Option<KeyText> {
    let files = [format!("{}.keys", person.login), format!("{name}.keys")];
    files.into_iter().find_map(|shown| {
        let text = match read_if_present(&folder.join(&shown), LARGEST_KEYS) {
            Ok(None) => return None,
            Ok(Some(bytes)) => Ok(Secret::new(bytes)),
            Err(error) => Err(format!("cannot be used: {error}")),
        };
        Some(KeyText { shown, text })
    })
}

/// The environments whose readers change.
fn concerned(before: &Policy, after: &Policy) -> Vec<String> {
    let changed = after.environments.values().filter(|new| {
        let old = before.environment(&new.name);
        old.is_none_or(|old| before.reader_keys(old) != after.reader_keys(new))
    });
    changed.map(|environment| environment.name.to_string()).collect()
}

/// `secrets: developers: + bob, carol - dave`.
fn message(enrollment: &Enrollment) -> String {
    let listed = |sign: &str, names: Vec<&RecipientName>| match names.len() {
        0 => String::new(),
        many if many > MOST_NAMED => format!(" {sign} {many} people"),
        _ => {
            let names: Vec<&str> = names.into_iter().map(RecipientName::as_str).collect();
            format!(" {sign} {}", names.join(", "))
        }
    };
    let joins = listed("+", enrollment.joins.iter().map(|joining| &joining.name).collect());
    let leaves = listed("-", enrollment.leaves.iter().map(|leaving| &leaving.name).collect());
    format!("secrets: {}:{joins}{leaves}", enrollment.group)
}

fn say_who_has_gone(context: &Context, enrollment: &Enrollment) {
    let Some(first) = enrollment.leaves.iter().find(|leaving| !leaving.still) else {
        return;
    };
    context.ui.note(&format!(
        "until then the files grant what they granted; who has gone for good, and not only from `{}`: secretree offboard {}",
        enrollment.group, first.name
    ));
}

fn say_where_keys_go(args: &Args, context: &Context, enrollment: &Enrollment) {
    let mut missing = enrollment
        .left_out
        .iter()
        .filter_map(|left_out| match &left_out.reason {
            Reason::NoKeys(name) => Some(name),
            _ => None,
        });
    let Some(name) = missing.next() else { return };
    let folder = args.keys.as_deref().unwrap_or(Path::new("keys"));
    let command = secretree::cure::command("curl -sf -o", &[&folder.join(format!("{name}.keys"))]);
    let command = command.unwrap_or_else(|| format!("curl -sf -o DIR/{name}.keys"));
    let again = if args.keys.is_none() {
        ", then again with --keys DIR"
    } else {
        ", then again"
    };
    context.ui.note(&escaped(&format!(
        "for keys from a forge: {command} https://github.com/{name}.keys{again}"
    )));
}
