//! `init --from-sops`: a repository of the real sops, with three rules and ten files, becomes a policy and environments that
//! hold the same values; where one file cannot be taken, nothing is made.

use std::sync::Arc;

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::changes_nothing;
use crate::run::Run;
use crate::sandbox::{Person, Sandbox};
use crate::tools::require;

/// The sops files, and what each becomes; `VALUE` is put into every one.
const FILES: [(&str, &str, &str); 10] = [
    (
        "secrets/prod.enc.yaml",
        "prod",
        "# Payments\nstripe:\n  key: VALUE # live\n  number: 007\nhosts:\n  - a\n  - b\n",
    ),
    (
        "secrets/dev.yaml",
        "dev",
        "key: VALUE\nport: 5432\npem: |\n  one\n  two\n",
    ),
    ("secrets/qa.json", "qa", "{\"a\": {\"b\": \"VALUE\", \"c\": 15}}"),
    ("local.env", "local", "KEY=VALUE\n# a comment\nOTHER=x y\n"),
    ("services/billing/secrets/prod.enc.yaml", "billing/prod", "key: VALUE\n"),
    ("services/billing/secrets/dev.enc.yaml", "billing/dev", "key: VALUE\n"),
    (
        "services/shop/secrets/prod.enc.yaml",
        "shop/prod",
        "key: VALUE\nshown_pub: yes it is\n",
    ),
    ("services/shop/secrets.yaml", "shop", "key: VALUE\n"),
    ("ops/common.enc.yml", "common", "key: VALUE\n"),
    ("ops/db.sops.yaml", "db", "key: VALUE\nnested:\n  deep: {a: VALUE}\n"),
];

/// Ada, and a repository that sops encrypted for her, bob and a machine.
fn repository(value: &str) -> (Arc<Sandbox>, Person) {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    ada.git(["init", "--quiet"]).run().succeeds();
    ada.git(["config", "user.name", "Ada Lovelace"]).run().succeeds();
    let [bob, machine] = ["bob", "machine"].map(|name| sandbox.person(name).public_key());
    let own = ada.public_key();
    ada.write(
        ".sops.yaml",
        format!(
            "keys:\n  - &ada_laptop {own}\n  - &bob {bob}\ncreation_rules:\n  \
             # production\n  - path_regex: prod\\.enc\\.yaml$\n    unencrypted_suffix: _pub\n    age:\n      - *ada_laptop\n      - {machine} # CI runner\n  \
             - path_regex: ^ops/\n    age: {own}\n  - path_regex: ^nothing/\n    age: [*bob]\n  - age: >-\n      {bob},\n      {own}\n"
        ),
    );
    for (name, _, text) in FILES {
        ada.write(name, text.replace("VALUE", value));
        sops(&ada, ["encrypt", "--in-place", name]).run().succeeds();
    }
    // sops knows no `.local` and makes one sealed value of the whole file.
    ada.write(".env.local", format!("KEY={value}\n"));
    sops(&ada, ["encrypt", "--in-place", ".env.local"]).run().succeeds();
    ada.write("src/main.yaml", "not: a secret\n");
    ada.commit("encrypted by sops");
    (sandbox, ada)
}

fn sops<const N: usize>(person: &Person, operands: [&str; N]) -> Run {
    let run = person.command("sops", operands);
    run.env("SOPS_AGE_KEY_FILE", person.identity_file())
        .env("SOPS_DISABLE_VERSION_CHECK", "1")
}

#[test]
fn rules_and_files_become_a_policy_and_environments() {
    if !require(&["sops"]) {
        return;
    }
    let canary = Canary::new();
    let (sandbox, ada) = repository(canary.value());
    changes_nothing(ada.secretree(["init", "--from-sops", "--name", "ada"])).check(expect![[r#"
        status: 1
        --- stderr
        recipient ada: age1…
        recipient bob: age1…
        recipient ci-runner: age1…
        group team: ada, bob
        group prod-readers: ada, ci-runner
        environment local: local.yaml from local.env, read by team
        environment common: ops/common.yaml from ops/common.enc.yml, read by ada
        environment db: ops/db.yaml from ops/db.sops.yaml, read by ada
        environment dev: secrets/dev.secretree.yaml from secrets/dev.yaml, read by team
        environment prod: secrets/prod.yaml from secrets/prod.enc.yaml, read by prod-readers
        environment qa: secrets/qa.yaml from secrets/qa.json, read by team
        environment billing/dev: services/billing/secrets/dev.yaml from services/billing/secrets/dev.enc.yaml, read by team
        environment billing/prod: services/billing/secrets/prod.yaml from services/billing/secrets/prod.enc.yaml, read by prod-readers
        environment shop: secrets/shop.yaml from services/shop/secrets.yaml, read by team
        environment shop/prod: services/shop/secrets/prod.yaml from services/shop/secrets/prod.enc.yaml, read by prod-readers
        note: `.env.local` is a sops file of a kind that is not read here; it stays as it is
        note: `local.env`: comments become readable, which sops may keep encrypted: 1
        note: `secrets/prod.enc.yaml`: comments become readable, which sops may keep encrypted: 2
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    let before: Vec<_> = FILES.iter().map(|(name, _, _)| ada.read(name)).collect();
    let init = ada.secretree(["init", "--from-sops", "--name", "ada", "--yes", "--quiet"]);
    init.run().check(expect![[r#"
        status: 0
    "#]]);
    expect![[r##"
        # Who may read which secrets. Everyone who reviews changes to this file decides about access, so protect
        # it like code. Made from `.sops.yaml`.
        version: 1

        # Random. It binds the encrypted files to this policy: keep it for ever.
        id: "ID"

        # What commands take when no environment is named.
        default_environment: dev

        # Give `machine: true` to what is no person: it reads, but does not write unless `writers` names it.
        recipients:
          ada:
            keys:
              - age1…
          bob:
            keys:
              - age1…
          ci-runner:
            keys:
              - age1…

        groups:
          team: [ada, bob]
          prod-readers: [ada, ci-runner]

        environments:
          local:
            file: local.yaml
            readers: [team]
          common:
            file: ops/common.yaml
            readers: [ada]
          db:
            file: ops/db.yaml
            readers: [ada]
          dev:
            file: secrets/dev.secretree.yaml
            readers: [team]
          prod:
            file: secrets/prod.yaml
            readers: [prod-readers]
            plaintext: ['**.*_pub.**']
          qa:
            file: secrets/qa.yaml
            readers: [team]
          billing/dev:
            file: services/billing/secrets/dev.yaml
            readers: [team]
          billing/prod:
            file: services/billing/secrets/prod.yaml
            readers: [prod-readers]
            plaintext: ['**.*_pub.**']
          shop:
            file: secrets/shop.yaml
            readers: [team]
          shop/prod:
            file: services/shop/secrets/prod.yaml
            readers: [prod-readers]
            plaintext: ['**.*_pub.**']
    "##]]
    .assert_eq(&without_keys(&ada.read_text(".secrets.yaml")));
    let after: Vec<_> = FILES.iter().map(|(name, _, _)| ada.read(name)).collect();
    assert!(before == after, "a sops file changed");
    let json = |run: Run| -> serde_json::Value {
        let output = run.reveals().run();
        serde_json::from_slice(output.succeeds().stdout_bytes()).unwrap()
    };
    for (file, environment, _) in FILES {
        let theirs = json(sops(&ada, ["decrypt", "--output-type", "json", file]));
        let ours = json(ada.secretree(["decrypt", environment, "--format", "json"]));
        assert_eq!(ours, theirs, "{file}");
    }
    let text = ada.secretree(["decrypt", "prod"]).reveals().run();
    assert!(text.stdout().starts_with("# Payments\nstripe:\n"), "{}", text.stdout());
    assert!(text.stdout().contains(" # live\n"), "{}", text.stdout());
    // The machine reads what its rule gave it, and nothing else.
    let identity = sandbox.root().join("machine/config/secretree/identity.txt");
    let as_machine = |environment: &str| {
        std::fs::remove_file(ada.identity_file()).unwrap_or_default();
        let run = ada
            .secretree(["get", environment, "key"])
            .env("SECRETREE_IDENTITY", &identity);
        run.reveals().run()
    };
    as_machine("billing/prod").code(0).prints(canary.value());
    as_machine("billing/dev").code(4);
    ada.commit("adopted");
    canary.assert_unseen(&sandbox, &[]);
}

/// The policy with its random id and long keys shortened.
fn without_keys(policy: &str) -> String {
    let policy = regex::Regex::new("age1[0-9a-z]{50,}")
        .unwrap()
        .replace_all(policy, "age1…")
        .into_owned();
    regex::Regex::new("[0-9a-f]{32}")
        .unwrap()
        .replace_all(&policy, "ID")
        .into_owned()
}

#[test]
fn the_person_sees_the_plan_and_says_yes() {
    if !require(&["sops"]) {
        return;
    }
    let (_sandbox, ada) = repository("x");
    let mut terminal = ada.on_terminal(["init", "--from-sops", "--commit"]);
    terminal.expect("your name in the policy [ada_laptop]: ").send("\n");
    terminal
        .expect("environment prod: secrets/prod.yaml")
        .expect("write this?")
        .send("y\n");
    terminal.expect("let git stop commits").send("n\n");
    terminal.finish().succeeds();
    ada.git(["log", "-1", "--format=%s", "--name-only"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            secrets: adopt what sops encrypted

            .secrets.yaml
            local.yaml
            ops/common.yaml
            ops/db.yaml
            secrets/dev.secretree.yaml
            secrets/prod.yaml
            secrets/qa.yaml
            secrets/shop.yaml
            services/billing/secrets/dev.yaml
            services/billing/secrets/prod.yaml
            services/shop/secrets/prod.yaml
        "#]]);
    ada.git(["status", "--porcelain"]).run().prints("");
    changes_nothing(ada.secretree(["init", "--from-sops"])).check(expect![[r#"
        status: 1
        --- stderr
        error: `.secrets.yaml` is here already; nothing was written
        hint: take each sops file into an environment: secretree import ENV FILE
    "#]]);
}

#[test]
fn without_a_terminal_the_plan_has_the_name_that_sops_knows() {
    if !require(&["sops"]) {
        return;
    }
    let (_sandbox, ada) = repository("x");
    let init = changes_nothing(ada.secretree(["init", "--from-sops"]));
    let said = init.code(1).stderr();
    assert!(said.starts_with("recipient ada_laptop: age1"), "{said}");
    assert!(said.ends_with("hint: `--yes` answers with yes\n"), "{said}");
}

#[test]
fn nothing_is_made_if_one_file_cannot_be_taken() {
    if !require(&["sops"]) {
        return;
    }
    let (sandbox, ada) = repository("x");
    let damaged = ada.read_text("secrets/dev.yaml").replacen("data:", "data:A", 1);
    ada.write("secrets/dev.yaml", damaged);
    let init = || ada.secretree(["init", "--from-sops", "--yes", "--quiet"]);
    changes_nothing(init()).code(5);
    // Somebody whom one rule leaves out.
    let restore = ["checkout", "--quiet", "secrets/dev.yaml"];
    ada.git(restore).run().succeeds();
    let bob = sandbox.root().join("bob/config/secretree/identity.txt");
    std::fs::remove_file(ada.identity_file()).unwrap();
    changes_nothing(init().env("SECRETREE_IDENTITY", bob)).code(4);
    changes_nothing(init()).check(expect![[r#"
        status: 4
        --- stderr
        error: there is no identity here, so sops files cannot be read
        hint: name the age key that sops uses: secretree -i FILE init --from-sops, or SOPS_AGE_KEY_FILE
    "#]]);
}

#[test]
fn a_folder_without_rules_or_files_says_what_to_do() {
    let ada = Sandbox::new().person("ada");
    let init = || changes_nothing(ada.secretree(["init", "--from-sops", "--name", "ada", "--yes"]));
    init().check(expect![[r#"
        status: 1
        --- stderr
        error: there is no `.sops.yaml` here
        hint: run it in the folder that has one; without rules: secretree init, then secretree import ENV FILE
    "#]]);
    ada.write(".sops.yaml", "creation_rules: [x]\n");
    changes_nothing(ada.secretree(["init"])).check(expect![[r#"
        status: 1
        --- stderr
        note: there is a `.sops.yaml` here; to make policy and environments of it: secretree init --from-sops
        would write .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml with `ada` as the first recipient
        error: no terminal to ask on: is your name `ada`?
        hint: `--yes` answers with yes; `--name NAME` is another one
    "#]]);
    init().check(expect![[r#"
        status: 1
        --- stderr
        error: `.sops.yaml` line 1 column 18: a creation rule that is no mapping
    "#]]);
    ada.write(
        ".sops.yaml",
        format!("creation_rules:\n  - age: {}\n", ada.public_key()),
    );
    ada.write("a.yaml", "a: 1\n");
    init().check(expect![[r#"
        status: 1
        --- stderr
        error: there is no sops file here that a rule of `.sops.yaml` is for
        hint: secretree init, then secretree import ENV FILE for each file
    "#]]);
}
