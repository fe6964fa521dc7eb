//! `set`: one value, from anywhere but the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use secretree::crypto::generate::Generator;
use secretree::crypto::key::DropBox;
use secretree::error::{Failure, FailureKind, Result};
use secretree::secret::Secret;
use secretree::value::Value;
use secretree::vault::{Addressee, Environment, EnvironmentFile, Origin, Reading, Vault, list_of_base};

use crate::context::{Context, place};
use crate::input;
use crate::ui::escaped;

/// Set one value, from a hidden prompt, standard input, a file or a generator
///
/// Never from the command line: what stands there is seen by other users and kept by the shell's history.
/// Whoever cannot read the environment proposes the value; a reader accepts it.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "secretree set [OPTIONS] <ENV> <PATH>",
    after_help = "\
PATH is a place in the file, `database.password` or `hosts.0`; a key that holds a dot is quoted:
'tls.\"example.com\".key'. A variable's name, such as DATABASE_PASSWORD, means the one path that has it.

Generators: password:N (N characters), hex:N and base64:N (N random bytes), uuid, passphrase:N (N words).

Examples:
  secretree set prod database.password                asks for the value
  pass show db | secretree set prod database.password
  secretree set prod tls.key --file key.pem
  secretree set prod session.secret --generate base64:32"
)]
pub(crate) struct Args {
    /// The environment
    #[arg(value_name = "ENV")]
    environment: String,
    /// The place of the value
    #[arg(value_name = "PATH")]
    path: Option<String>,
    /// Take the bytes of FILE, all of them
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Keep the trailing newline of standard input; accept empty input
    #[arg(long, conflicts_with_all = ["file", "generate"])]
    raw: bool,
    /// Make a random value: password:32, hex:32, base64:32, uuid, passphrase:6
    #[arg(long, value_name = "SPEC", conflicts_with = "file")]
    generate: Option<String>,
    /// Commit the changed file
    #[arg(long)]
    commit: bool,
    /// Caught here to be refused without being repeated.
    #[arg(hide = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

impl Args {
    /// Refuses a value in the arguments, without repeating any text that may be one.
    fn refuse_value(&self) -> Result<()> {
        let is_assignment = self.environment.contains('=') || self.path.as_deref().is_some_and(has_bare_equals);
        if self.rest.is_empty() && !is_assignment {
            return Ok(());
        }
        let reason = "`set` takes no value on the command line: other users and the shell's history would see it";
        Err(Failure::usage(reason)
            .hint("`secretree set ENV PATH` asks for it; or pipe it in, or use `--file FILE` or `--generate SPEC`")
            .hint("if it was a real value, treat it as seen and make a new one")
            .into())
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    args.refuse_value()?;
    let path = place::operand(context, &args.environment, args.path.as_deref(), "set")?;
    let (loaded, name) = context.policy_for(&args.environment, None)?;
    let mut vault = context.vault(&loaded)?;
    let layers = vault.layers(&name)?;
    let readings = vault.readings_of_present(&layers)?;
    let path = place::path(&vault, &name, &readings, path)?;
    if let Some(list) = list_of_base(&readings, &path) {
        let message =
            format!("`{name}:{list}` is a list of an environment that `{name}` extends, and lists count as a whole");
        return Err(Failure::failed(message)
            .hint(format!(
                "set it there, or write a list of its own: secretree edit {name}"
            ))
            .into());
    }
    // What is wrong is said before anybody types a value.
    let own = context.or_first(&mut vault, layers.own())?;
    let reading = match readings.into_iter().last() {
        Some(reading) if reading.footer.environment == name => reading,
        _ => vault.read(&own)?,
    };
    let path = reading.as_written(&path);
    let opened = unlocked(&mut vault, reading)?;
    context.tell(&mut vault);
    let way = match opened {
        Some(environment) => {
            environment.refuse_outsiders()?;
            Way::Set(Box::new(environment))
        }
        None => {
            vault.refuse_outsiders(&own)?;
            Way::Propose(addressee(&mut vault, context, &own)?)
        }
    };
    let mut place = format!("`{}`", escaped(&format!("{name}:{path}")));
    if matches!(&way, Way::Set(environment) if environment.stands_readable(&path)) {
        place.push_str(", which will stand readable in the file,");
    }
    let value = Value::from_bytes(read_value(args, context, &place)?);
    let lock = vault.lock()?;
    let file = vault.load(&name)?;
    let verb = match way {
        Way::Set(environment) => {
            // Most often nobody wrote since the file was read.
            let changed = if file.text == layers.own().text {
                environment.set(&path, value)?
            } else {
                let basis = vault.or_first(&file)?;
                vault.open(&basis)?.set(&path, value)?
            };
            vault.refuse_readable_over_token(&file, &changed.1.readable)?;
            vault.save(&lock, &[(&file, changed.0)])?;
            match (changed.1.is_empty(), changed.1.readable.is_empty()) {
                (true, _) => "unchanged",
                (false, true) => "set",
                (false, false) => "set, readable as `plaintext` in the policy says,",
            }
        }
        Way::Propose(drop_box) => {
            let text = vault.propose(&file, &drop_box, &path, value)?;
            vault.save(&lock, &[(&file, text)])?;
            "proposed"
        }
    };
    drop(lock);
    context.tell(&mut vault);
    context.ui.note(&escaped(&format!("{verb} `{name}:{path}`")));
    if args.commit {
        let message = format!("secrets: {} {name}:{path}", verb.split(',').next().unwrap_or(verb));
        context.commit(&vault, std::slice::from_ref(&file.relative), &message)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What becomes of the value.
enum Way<'f> {
    /// It is written.
    Set(Box<Environment<'f>>),
    /// It is proposed to the holders of this drop box.
    Propose(DropBox),
}

/// The environment, opened; nothing if nobody here can read it, who then can only propose.
fn unlocked<'f, 'p: 'f>(vault: &mut Vault<'p>, reading: Reading<'f>) -> Result<Option<Environment<'f>>> {
    let is_reader = vault.holds_grant(&reading);
    match vault.unlock(reading) {
        Ok(environment) => Ok(Some(environment)),
        // Somebody who reads it but cannot now (a key that stays locked) has no use for a proposal to themselves.
        Err(error) if is_reader => Err(error),
        Err(error) if FailureKind::of(&error) == Some(FailureKind::NoIdentity) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_value(args: &Args, context: &Context, place: &str) -> Result<Secret> {
    if let Some(spec) = &args.generate {
        let generator = Generator::parse(spec).map_err(|reason| {
            Failure::usage(format!("`--generate` {reason}")).hint(format!("write {}", Generator::EXAMPLES))
        })?;
        return Ok(generator.generate());
    }
    match &args.file {
        Some(file) => input::from_file(file).map_err(|error| match file.exists() {
            true => error,
            false => Failure::from(error)
                .hint(format!(
                    "FILE is looked for from `{}`; without `--file` the value is asked for",
                    context.folder().display()
                ))
                .into(),
        }),
        None => input::from_person_or_pipe(&context.ui, place, args.raw),
    }
}

/// The drop box that a value may be sealed to: one that is not known here is shown to a person first.
fn addressee(vault: &mut Vault<'_>, context: &Context, file: &EnvironmentFile) -> Result<DropBox> {
    let name = &file.name;
    let shown = |origin: &Option<Origin>| {
        let origin = origin.as_ref();
        escaped(&origin.map_or_else(|| "no commit yet".to_owned(), Origin::shown)).into_owned()
    };
    // `--yes` in a job that runs by itself would seal to whatever drop box somebody put there.
    let can_ask = !context.ui.assumes_yes() && context.ui.terminal().is_some();
    let (drop_box, origin, objection) = match vault.addressee(file)? {
        Addressee::Known(drop_box) => return Ok(drop_box),
        Addressee::Only(drop_box, origin) if !can_ask => {
            context.ui.note(&format!(
                "note: first sight of the drop box of `{name}` ({}), the only one in the history here",
                shown(&origin)
            ));
            return Ok(drop_box);
        }
        Addressee::Only(drop_box, origin) => (drop_box, origin, None),
        Addressee::Unknown {
            drop_box,
            origin,
            objection,
        } => (drop_box, origin, objection),
    };
    let origin = shown(&origin);
    let mut plan = vec![format!(
        "nobody here can read `{name}`; its drop box is {drop_box} ({origin})"
    )];
    let settled = objection
        .is_some()
        .then(|| format!("if it is the one that holds now: secretree trust {name}"));
    plan.extend(objection.map(|objection| escaped(&objection).into_owned()));
    let vouching = format!("ask a reader for the drop box: SECRETREE_TRUST={name}:age1…");
    if !can_ask {
        for line in &plan {
            context.ui.note(line);
        }
        let message = match context.ui.assumes_yes() {
            true => format!("`--yes` does not vouch for the drop box of `{name}` ({origin})"),
            false => format!("no terminal to ask on: nothing here vouches for the drop box of `{name}` ({origin})"),
        };
        let failure = Failure::failed(message).hint(vouching);
        return Err(settled.into_iter().fold(failure, Failure::hint).into());
    }
    if context
        .ui
        .confirm(&plan, "propose a value to whoever holds that key?")?
    {
        vault.note_trust(name, &drop_box)?;
        return Ok(drop_box);
    }
    Err(Failure::failed("nothing was proposed").hint(vouching).into())
}

/// Whether `path` has a `=` outside quotes, as `NAME=VALUE` has.
fn has_bare_equals(path: &str) -> bool {
    path.split('"').step_by(2).any(|bare| bare.contains('='))
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};
    use secretree::error::Failure;

    use super::Args;

    fn refusal(arguments: &[&str]) -> Option<Failure> {
        let command = Args::augment_args(Command::new("set").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).unwrap();
        let error = Args::from_arg_matches(&matches).unwrap().refuse_value().err()?;
        Some(error.downcast().unwrap())
    }

    #[test]
    fn a_value_in_the_arguments_is_refused_and_not_repeated() {
        for arguments in [
            &["prod", "stripe.key", "CANARY"][..],
            &["prod", "stripe.key", "-CANARY", "--file", "x"],
            &["prod", "stripe.key", "--CANARY"],
            &["prod", "stripe.key", "--", "--CANARY"],
            &["prod", "stripe.key", "two", "CANARIES"],
            &["prod", "STRIPE_KEY=CANARY"],
            &["STRIPE_KEY=CANARY", "path"],
        ] {
            let failure = refusal(arguments).expect("it is refused");
            assert_eq!(failure.kind().exit_code(), 2);
            assert!(!format!("{failure:?}").contains("CANAR"), "{arguments:?}");
        }
    }

    #[test]
    fn places_and_flags_are_no_values() {
        for arguments in [
            &["prod", "stripe.key", "--file", "key.pem", "--commit"][..],
            &["prod", "--generate", "hex:32", "stripe.\"a=b\""],
            &["prod", "stripe.key", "--raw"],
        ] {
            assert_eq!(refusal(arguments), None, "{arguments:?}");
        }
    }
}
