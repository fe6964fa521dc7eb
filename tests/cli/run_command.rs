//! `run`: what the child gets and does not get, and with which code it ends. (`run.rs` is the sandbox's own.)

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::{TWO_ENVIRONMENTS, alice, alice_with_dev, alice_with_git, changes_nothing, edit};
use crate::run::Run;

/// `run OPERANDS -- env`, and what the child saw of these variables, in order.
fn seen(run: Run, names: &[&str]) -> Vec<Option<String>> {
    let output = run.operand("--").operand("env").operand("-0").run();
    output.succeeds();
    let text = output.stdout();
    let value = |name: &&str| {
        let prefix = format!("{name}=");
        text.split('\0')
            .find_map(|line| line.strip_prefix(&prefix))
            .map(String::from)
    };
    names.iter().map(value).collect()
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

#[test]
fn values_become_variables() {
    let alice = alice_with_dev(
        "database: {password: p, port: 007}\ncert: |\n  one\n  two\nempty: \"\"\nnothing: ~\n\"1st\": d\n",
    );
    let names = ["DATABASE_PASSWORD", "DATABASE_PORT", "CERT", "EMPTY", "_1ST"];
    assert_eq!(
        seen(alice.secretree(["run", "dev"]), &names),
        some(&["p", "007", "one\ntwo\n", "", "d"])
    );
    assert_eq!(seen(alice.secretree(["run", "dev"]), &["NOTHING"]), [None]);
}

#[test]
fn the_environment_is_named_or_a_variable_or_the_default() {
    let alice = alice(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "which: dev\n").run().succeeds();
    edit(&alice, "prod", "which: prod\n").run().succeeds();
    let which = |run: Run| seen(run, &["WHICH"]);
    assert_eq!(which(alice.secretree(["run"])), some(&["dev"]));
    assert_eq!(
        which(alice.secretree(["run"]).env("SECRETREE_ENV", "prod")),
        some(&["prod"])
    );
    assert_eq!(
        which(alice.secretree(["run", "dev"]).env("SECRETREE_ENV", "prod")),
        some(&["dev"])
    );
    alice
        .secretree(["decrypt"])
        .env("SECRETREE_ENV", "prod")
        .run()
        .prints("which: prod\n");
    changes_nothing(alice.secretree(["run", "--", "true"]).env("SECRETREE_ENV", "prdo")).check(expect![[r#"
        status: 1
        --- stderr
        error: `prdo` is no environment
        hint: did you mean `prod`?
    "#]]);
    let policy = alice.read_text(".secrets.yaml");
    alice.write(".secrets.yaml", policy.replace("default_environment: dev\n", ""));
    changes_nothing(alice.secretree(["run", "--", "true"])).check(expect![[r#"
        status: 1
        --- stderr
        error: no environment was named, and the policy has no `default_environment`
        hint: name one of dev, prod
    "#]]);
    changes_nothing(alice.secretree(["run", "dev"])).check(expect![[r#"
        status: 2
        --- stderr
        error: missing `<CMD>...`
        hint: usage: secretree run <ENV> -- <CMD>...
        hint: `secretree run --help` explains it
    "#]]);
}

#[test]
fn values_win_unless_the_callers_are_preserved() {
    let alice = alice_with_dev("a: value\nb: value\n");
    let run = |operands: &[&str]| {
        let run = alice.secretree([&["run", "dev"], operands].concat());
        seen(run.env("A", "caller").env("OTHER", "caller"), &["A", "B", "OTHER"])
    };
    let all = |a: &str, b: &str, other: Option<&str>| vec![Some(a.into()), Some(b.into()), other.map(String::from)];
    assert_eq!(run(&[]), all("value", "value", Some("caller")));
    assert_eq!(run(&["--preserve-env"]), all("caller", "value", Some("caller")));
    assert_eq!(run(&["--preserve-env=A"]), all("caller", "value", Some("caller")));
    assert_eq!(run(&["--preserve-env=B,OTHER"]), all("value", "value", Some("caller")));
    assert_eq!(run(&["--no-inherit"]), all("value", "value", None));
    assert_eq!(
        run(&["--no-inherit", "--preserve-env=OTHER"]),
        all("value", "value", Some("caller"))
    );
    let output = alice.secretree(["run", "dev", "--no-inherit", "--", "env"]).run();
    assert_eq!(output.succeeds().stdout(), "A=value\nB=value\n");
}

#[test]
fn only_what_is_chosen_is_given() {
    let alice = alice_with_dev("stripe: {key: k, deep: {er: d}}\nother: o\n");
    let run = |only: &[&str]| {
        let mut run = alice.secretree(["run", "dev", "--no-inherit"]);
        for glob in only {
            run = run.operand("--only").operand(*glob);
        }
        run.operand("--").operand("env").run().succeeds().stdout()
    };
    assert_eq!(run(&["stripe.*"]), "STRIPE_KEY=k\n");
    assert_eq!(run(&["stripe.**"]), "STRIPE_DEEP_ER=d\nSTRIPE_KEY=k\n");
    assert_eq!(run(&["other", "stripe.key"]), "OTHER=o\nSTRIPE_KEY=k\n");
    changes_nothing(alice.secretree(["run", "dev", "--only", "a**", "--", "true"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `--only`: `**` stands alone between separators
        hint: for example 'database.*' or '**.password'
    "#]]);
}

#[test]
fn a_missing_required_value_is_named_before_the_child_starts() {
    let alice = alice(
        "environments: {dev: {file: dev.yaml, readers: [alice]}, prod: {file: prod.yaml, readers: [alice]}}\n\
         secrets:\n  database.password: {description: role api, required: [dev], owner: alice}\n  \
         plain: {required: [dev]}\n  elsewhere: {required: [prod]}\n",
    );
    edit(&alice, "dev", "plain: 1\n").run().succeeds();
    let run = |operands: &[&str]| alice.secretree([&["run", "dev"], operands, &["--", "touch", "started"]].concat());
    changes_nothing(run(&[])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` lacks the required `database.password` (role api)
        hint: secretree set dev database.password; ask alice, who owns it
    "#]]);
    edit(&alice, "dev", "plain: 1\ndatabase: {password: ~}\n")
        .run()
        .succeeds();
    changes_nothing(run(&[])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` lacks the required `database.password` (role api)
        hint: secretree set dev database.password; ask alice, who owns it
    "#]]);
    edit(&alice, "dev", "database: {password: p}\n").run().succeeds();
    changes_nothing(run(&[])).check(expect![[r#"
        status: 1
        --- stderr
        error: `dev` lacks the required `plain`
        hint: secretree set dev plain
    "#]]);
    // What was not chosen is not missed.
    run(&["--only", "database.*"]).run().silent();
    assert!(alice.work("started").exists());
}

#[test]
fn codes_are_those_of_the_child_or_of_a_shell() {
    let alice = alice_with_dev("a: 1\n");
    let run = |command: &[&str]| changes_nothing(alice.secretree([&["run", "dev", "--"], command].concat()));
    run(&["sh", "-c", "exit 0"]).code(0).silent();
    run(&["sh", "-c", "exit 7"]).code(7).silent();
    run(&["sh", "-c", "exit 255"]).code(255).silent();
    run(&["no-such-program"]).check(expect![[r#"
        status: 127
        --- stderr
        error: `no-such-program` cannot be started: there is no such program
    "#]]);
    run(&["./secrets/dev.yaml"]).check(expect![[r#"
        status: 126
        --- stderr
        error: `./secrets/dev.yaml` cannot be started: permission denied
    "#]]);
    run(&["./missing"]).check(expect![[r#"
        status: 127
        --- stderr
        error: `./missing` cannot be started: there is no such program
    "#]]);
    run(&["."]).code(126);
    // A shell around it sees 128 + n.
    alice
        .command("sh", ["-c", "secretree run dev -- sh -c 'kill -TERM $$'; exit $?"])
        .run()
        .code(143);
    alice
        .command("sh", ["-c", "secretree run dev -- sh -c 'kill -KILL $$'; exit $?"])
        .run()
        .code(137);
}

#[test]
fn the_child_is_the_process_itself() {
    let alice = alice_with_dev("a: 1\n");
    alice
        .secretree(["run", "dev", "--", "cat"])
        .input("input")
        .run()
        .prints("input");
    let output = alice
        .command("sh", ["-c", "echo $$; exec secretree run dev -- sh -c 'echo $$'"])
        .run();
    let text = output.stdout();
    let (outer, inner) = text.trim_end().split_once('\n').unwrap();
    assert_eq!(outer, inner);
    // Words with dashes and blanks reach it as they are.
    alice
        .secretree(["run", "dev", "--", "printf", "%s|", "--yes", "a b", "-i"])
        .run()
        .prints("--yes|a b|-i|");
}

#[test]
fn identities_are_not_inherited() {
    let alice = alice_with_dev("a: 1\n");
    let identity = std::fs::read_to_string(alice.identity_file()).unwrap();
    let key = identity.lines().last().unwrap().to_owned();
    let names = [
        "SECRETREE_KEY",
        "SECRETREE_KEY_COMMAND",
        "SECRETREE_IDENTITY",
        "SECRETREE_TRUST",
        "SECRETREE_TRUST_COMMANDS",
        "AGEDEBUG",
    ];
    let run = |operands: &[&str]| {
        let run = alice.secretree([&["run", "dev"], operands].concat());
        let run = run.env("SECRETREE_KEY", &key).env("SECRETREE_KEY_COMMAND", "true");
        let run = run
            .env("SECRETREE_IDENTITY", alice.identity_file())
            .env("SECRETREE_TRUST_COMMANDS", "0000");
        run.env("AGEDEBUG", "plugin")
    };
    assert_eq!(seen(run(&[]), &names), [None, None, None, None, None, None]);
    assert_eq!(
        seen(run(&["--preserve-env"]), &names),
        [None, None, None, None, None, None]
    );
    let kept = seen(run(&["--keep-identity"]), &names);
    assert_eq!(kept[0], Some(key.clone()));
    assert_eq!(kept[1], Some("true".into()));
    // Nor through the list of the process's first environment.
    let output = run(&[])
        .operand("--")
        .operand("cat")
        .operand("/proc/self/environ")
        .run();
    assert!(!output.stdout().contains("AGE-SECRET-KEY"));
}

#[test]
fn readable_values_do_not_steer_programs() {
    let alice = alice(
        "environments: {dev: {file: dev.yaml, readers: [alice], plaintext: [\"**\"]}}\nsecrets: {sealed.path: {env: PERL5LIB}}\n",
    );
    edit(
        &alice,
        "dev",
        "path: /evil\nld: {preload: evil.so}\nnode: {options: --require=evil}\nhttps_proxy: evil\nsealed: {path: trusted}\n\
         harmless: yes\n",
    )
    .run()
    .succeeds();
    let output = alice
        .secretree([
            "run",
            "dev",
            "--",
            "sh",
            "-c",
            "echo $HARMLESS $PERL5LIB $NODE_OPTIONS$LD_PRELOAD",
        ])
        .run();
    output.check(expect![[r#"
        status: 0
        --- stdout
        yes trusted
        --- stderr
        warning: left out, for they stand readable and programs act on such variables: `path` (PATH), `ld.preload` (LD_PRELOAD), `node.options` (NODE_OPTIONS), `https_proxy` (HTTPS_PROXY)
    "#]]);
}

#[test]
fn the_value_is_in_the_childs_environment_and_nowhere_else() {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    let canary = Canary::new();
    alice
        .secretree(["set", "dev", "a"])
        .input(canary.value())
        .run()
        .succeeds();
    alice.commit("value");
    let watch = canary.watch_arguments();
    alice
        .secretree(["run", "dev", "--", "sh", "-c", "test -n \"$A\" && sleep 0.2"])
        .run()
        .silent()
        .code(0);
    assert_eq!(watch.sightings(), Vec::<String>::new());
    canary.assert_unseen(alice.sandbox(), &[]);
}

#[test]
fn a_child_that_crashes_leaves_no_core() {
    let alice = alice_with_dev("a: 1\n");
    alice
        .secretree(["run", "dev", "--", "sh", "-c", "ulimit -c; ulimit -H -c"])
        .run()
        .prints("0\n0\n");
}

#[test]
fn what_cannot_be_opened_starts_nothing() {
    let alice = alice_with_dev("a: 1\n");
    let file = alice.read_text("secrets/dev.yaml");
    alice.write("secrets/dev.yaml", format!("b: plain\n{file}"));
    changes_nothing(alice.secretree(["run", "dev", "--", "touch", "started"])).check(expect![[r#"
        status: 5
        --- stderr
        error: `dev:b` (line 1 column 4) is not encrypted
        hint: secretree encrypt dev
    "#]]);
    changes_nothing(alice.secretree(["run", "prod", "--", "touch", "started"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `prod` has no file yet: there is no `secrets/prod.yaml`
        hint: secretree apply prod
    "#]]);
    alice.write("secrets/dev.yaml", file);
    std::fs::remove_file(alice.identity_file()).unwrap();
    changes_nothing(alice.secretree(["run", "dev", "--", "touch", "started"]))
        .code(4)
        .prints("");
}

#[test]
fn a_pattern_that_matches_nothing_is_told_before_the_command_starts() {
    let alice = alice_with_dev("a: one\n");
    alice
        .secretree(["run", "dev", "--only", "b.**", "--", "echo", "started"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            started
            --- stderr
            warning: `--only` matches no value of `dev`
        "#]]);
}
