//! `demo`: what the program does, shown on a repository made for it. Every line is really run, by this very
//! program, and shown with what it really printed.

use std::process::ExitCode;

use secretree::error::{Failure, Result};
use secretree::process::resolve_program;

use crate::context::Context;
use crate::demo::{Person, Stage};

/// Show what secretree does, in a temporary repository
///
/// Three people and a CI identity, a program that gets its values, a read and an attack that are refused.
/// Touches nothing of yours.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  secretree demo
  secretree demo --keep     and look around afterwards"
)]
pub(crate) struct Args {
    /// Keep the repository and say where it is
    #[arg(long)]
    keep: bool,
}

/// What stands in for a person at an editor: adds a value with a comment to the text it is given.
const EDITOR: &str = "#!/bin/sh
cat >>\"$1\" <<'END'
mail:
  # asked for in the provider's console, not generated
  token: demo-mail-token
END
";

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode> {
    let path = context.variables.get("PATH").unwrap_or_default();
    if resolve_program("git", path, None).is_none() {
        return Err(
            Failure::failed("the demonstration needs the `git` command, which is not installed")
                .hint("install git; only history and `--commit` need it elsewhere")
                .into(),
        );
    }
    let stage = Stage::new(&context.ui, path.to_owned())?;
    let shown = stage.folder().display().to_string();
    context.ui.data(
        format!(
            "All this happens in {shown},\nwith homes, keys and git settings of its own. Long words are cut (…); cloning is not shown.\n"
        )
        .as_bytes(),
    )?;
    play(&stage)?;
    stage.tell("Now yours:\n  secretree init      in a repository of your own\n  secretree --help    all commands")?;
    if args.keep {
        let folder = stage.keep();
        let shown = folder.display();
        context.ui.data(
            format!("\nKept: {shown}\nTo be alice:  . {shown}/alice/env && cd {shown}/alice/shop && secretree list\n")
                .as_bytes(),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn play(stage: &Stage) -> Result<()> {
    let (alice, bob, carol) = (stage.person("alice")?, stage.person("bob")?, stage.person("carol")?);
    let mut ci = stage.person("ci")?;
    set_up(stage, &alice)?;
    invite(stage, &alice, [&bob, &carol], &mut ci)?;
    write(stage, &alice)?;
    read(stage, &bob, &carol, &ci)?;
    change(stage, &alice)?;
    attack(stage, &alice)
}

/// A repository with a policy and two environments.
fn set_up(stage: &Stage, alice: &Person) -> Result<()> {
    stage.prepare(
        alice,
        "git init --quiet --bare ../origin.git && git clone --quiet ../origin.git shop",
    )?;
    stage.tell("1. Alice sets up her repository. Her private key stays in her home folder.")?;
    stage.act(alice, "secretree init --yes --commit", 0)?;
    stage.act(alice, "git push --quiet origin HEAD", 0)?;
    Ok(())
}

/// Three more recipients, named in the policy and granted the environments.
fn invite(stage: &Stage, alice: &Person, others: [&Person; 2], ci: &mut Person) -> Result<()> {
    stage.tell("2. Bob, Carol and a CI job make keys of their own; only public keys are shown around.")?;
    let [bob, carol] = others;
    let mut keys = Vec::new();
    for person in [bob, carol] {
        let output = stage.act(person, "secretree keygen 2>/dev/null", 0)?;
        keys.push(output.trim().to_owned());
    }
    let output = stage.act(ci, "secretree keygen -o ci-key.txt 2>/dev/null", 0)?;
    keys.push(output.trim().to_owned());
    ci.key = Some(stage.prepare(ci, "cat ci-key.txt && rm ci-key.txt")?);

    stage
        .tell("   Alice writes who may read what into the policy, which is reviewed like code: Carol gets dev only.")?;
    let policy = alice.file("shop/.secrets.yaml");
    let text = stage.prepare(alice, "cat .secrets.yaml")?;
    stage.write(&policy, &with_team(&text, &keys))?;
    stage.act(alice, "git diff -U0 .secrets.yaml | grep '^[-+] '", 0)?;
    stage.act(alice, "secretree apply --yes", 0)?;
    stage.act(
        alice,
        "git commit --quiet -am 'bob, carol and ci read' && git push --quiet",
        0,
    )?;
    Ok(())
}

/// The policy of `init` with three more recipients.
fn with_team(policy: &str, keys: &[String]) -> String {
    let mut text = String::new();
    let mut named = false;
    for line in policy.lines() {
        text.push_str(line);
        text.push('\n');
        // Behind the first recipient's key, which is the first one of the file.
        if line.starts_with("      - age1") && !named {
            named = true;
            for ((name, more), key) in [("bob", ""), ("carol", ""), ("ci", ", machine: true")].iter().zip(keys) {
                text.push_str(&format!("  {name}: {{keys: [{key}]{more}}}\n"));
            }
        }
    }
    text.replacen("readers: [alice]", "readers: [alice, bob, carol]", 1)
        .replacen("readers: [alice]", "readers: [alice, bob, ci]", 1)
}

/// Values from a generator, a file and an editor.
fn write(stage: &Stage, alice: &Person) -> Result<()> {
    stage.write(&alice.file("stripe-key"), "demo-stripe-key\n")?;
    stage.script("add-a-token", EDITOR)?;
    stage.tell(
        "3. Values come from a prompt, a pipe, a file, a generator or an editor; never from the command line.\n   \
         (The editor is a script here that adds three lines.)",
    )?;
    stage.act(alice, "secretree set prod database.password --generate password:32", 0)?;
    stage.act(alice, "secretree set prod stripe.key <~/stripe-key", 0)?;
    stage.act(alice, "EDITOR=add-a-token secretree edit prod", 0)?;
    stage.tell("   The file in git: keys and comments readable, values not.")?;
    stage.act(alice, "head -n 12 secrets/prod.yaml", 0)?;
    stage.act(
        alice,
        "git commit --quiet -am 'prod: database, stripe, mail' && git push --quiet",
        0,
    )?;
    Ok(())
}

/// Two that may read, and one that may not.
fn read(stage: &Stage, bob: &Person, carol: &Person, ci: &Person) -> Result<()> {
    for person in [bob, carol, ci] {
        stage.prepare(person, "git clone --quiet ../origin.git shop")?;
    }
    stage.tell("4. Bob has cloned the repository. His program gets the values as variables, and nothing else does.")?;
    let line = r#"secretree run prod -- sh -c 'echo "server: STRIPE_KEY is $STRIPE_KEY"'"#;
    stage.act(bob, line, 0)?;
    stage.tell("   The CI job has its key in SECRETREE_KEY and no other set-up.")?;
    let line = r#"secretree run prod -- sh -c 'echo "deploy: a password of ${#DATABASE_PASSWORD} characters"'"#;
    stage.act(ci, line, 0)?;
    stage.tell("   Carol sees what exists, but cannot read prod.")?;
    stage.act(carol, "secretree list prod", 0)?;
    stage.act(carol, "secretree get prod stripe.key", 4)?;
    Ok(())
}

/// One value changes, and so does one line.
fn change(stage: &Stage, alice: &Person) -> Result<()> {
    stage.tell("5. A changed value is one changed line, so branches merge and reviews show what changed.")?;
    stage.act(alice, "secretree set prod database.password --generate password:32", 0)?;
    stage.act(alice, "git diff --stat", 0)?;
    stage.act(alice, "git diff -U1 | tail -n +5", 0)?;
    stage.act(
        alice,
        "git commit --quiet -am 'prod: new database password' && git push --quiet",
        0,
    )?;
    Ok(())
}

/// A forged key, made as somebody would who can push but holds no grant.
fn attack(stage: &Stage, alice: &Person) -> Result<()> {
    let mallory = stage.person("mallory")?;
    stage.tell(
        "6. Mallory can push, but reads nothing. She makes an environment key of her own, grants it to everybody\n   \
         with their public keys, puts her own stripe.key under it, and pushes that as a branch.",
    )?;
    forge(stage, &mallory)?;
    stage.tell("   Alice checks the branch out. Nothing is delivered from it, and nothing sealed under that key.")?;
    stage.act(alice, "git fetch --quiet && git checkout --quiet fix-typo", 0)?;
    stage.act(alice, "secretree run prod -- sh -c 'echo never printed'", 5)?;
    stage.act(alice, "secretree set prod stripe.key <~/stripe-key", 5)?;
    stage.act(alice, "git checkout --quiet main && secretree get prod stripe.key", 0)?;
    Ok(())
}

/// In a copy of the policy that names her, the program itself makes Mallory's file; the branch gets that file alone.
fn forge(stage: &Stage, mallory: &Person) -> Result<()> {
    stage.prepare(mallory, "git clone --quiet ../origin.git shop")?;
    let key = stage.prepare(mallory, "secretree keygen 2>/dev/null")?;
    let policy = stage.prepare(mallory, "cat .secrets.yaml")?;
    let own = policy
        .replace("  bob: {", &format!("  mallory: {{keys: [{}]}}\n  bob: {{", key.trim()))
        .replace("readers: [alice, bob, ci]", "readers: [alice, bob, ci, mallory]");
    stage.prepare(mallory, "mkdir ../forge && git -C ../forge init --quiet")?;
    stage.write(&mallory.file("forge/.secrets.yaml"), &own)?;
    stage.prepare(mallory, "secretree -C ../forge apply prod --yes")?;
    stage.prepare(mallory, "echo evil | secretree -C ../forge set prod stripe.key")?;
    // Her own grant, the last one, would be noticed.
    stage.prepare(
        mallory,
        "sed '/^    mallory:/,$d' ../forge/secrets/prod.yaml >secrets/prod.yaml",
    )?;
    stage.act(
        mallory,
        "git checkout --quiet -b fix-typo && git commit --quiet -am 'fix typo' && git push --quiet origin fix-typo",
        0,
    )?;
    Ok(())
}
