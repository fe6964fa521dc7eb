//! `whoami`: which keys are here, what they are called and what they read; nothing is unlocked or started.

use expect_test::expect;

use crate::keygen::assert_no_key_was_shown;
use crate::sandbox::Sandbox;
use crate::team::Team;
use crate::tools::require;

#[test]
fn each_identity_has_its_name_and_its_environments() {
    let team = Team::with_policy(
        &["alice", "bob"],
        "environments:\n  dev: {file: dev.yaml, readers: [alice, bob]}\n  prod: {file: prod.yaml, readers: [alice]}\n",
    );
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    alice.secretree(["whoami"]).run().check(expect![[r#"
        status: 0
        --- stdout
        age1…
          x25519 from [SANDBOX]/alice/config/secretree/identity.txt
          alice in .secrets.yaml, reads dev, prod
    "#]]);
    bob.secretree(["whoami", "--json"]).run().check(expect![[r#"
        status: 0
        --- stdout
        {
          "identities": [
            {
              "public_key": "age1…",
              "kind": "x25519",
              "source": "[SANDBOX]/bob/config/secretree/identity.txt",
              "recipient": "bob",
              "environments": [
                "dev"
              ]
            }
          ],
          "unknown": [],
          "problems": []
        }
    "#]]);
    alice
        .secretree(["whoami", "-i"])
        .operand(bob.identity_file())
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            age1…
              x25519 from [SANDBOX]/bob/config/secretree/identity.txt
              bob in .secrets.yaml, reads dev
            age1…
              x25519 from [SANDBOX]/alice/config/secretree/identity.txt
              alice in .secrets.yaml, reads dev, prod
        "#]]);
    assert_no_key_was_shown(team.sandbox());
}

#[test]
fn a_stranger_is_told_so_and_a_folder_without_policy_is_fine() {
    let mut team = Team::new(&["alice"]);
    let carol = team.add("carol");
    carol.secretree(["whoami"]).run().check(expect![[r#"
        status: 0
        --- stdout
        age1…
          x25519 from [SANDBOX]/carol/config/secretree/identity.txt
          not in .secrets.yaml: `secretree join` adds it
    "#]]);
    carol.secretree(["-C", "..", "whoami"]).run().check(expect![[r#"
        status: 0
        --- stdout
        age1…
          x25519 from [SANDBOX]/carol/config/secretree/identity.txt
    "#]]);
}

#[test]
fn without_an_identity_the_way_to_one_is_named() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    std::fs::remove_file(ada.identity_file()).unwrap();
    ada.secretree(["whoami"]).run().check(expect![[r#"
        status: 4
        --- stderr
        error: there is no identity here
        hint: secretree keygen
    "#]]);
    ada.secretree(["whoami", "--json"]).run().check(expect![[r#"
        status: 4
        --- stdout
        {
          "identities": [],
          "unknown": [],
          "problems": []
        }
        --- stderr
        error: there is no identity here
        hint: secretree keygen
    "#]]);
}

#[test]
fn what_cannot_be_known_or_read_is_said() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    std::fs::write(ada.identity_file(), "canary, no key\n").unwrap();
    ada.write(
        "sealed.age",
        "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n",
    );
    ada.command("chmod", ["600", "sealed.age"]).run().succeeds();
    sandbox.script("print-key", "#!/bin/sh\ntouch started\n");
    ada.secretree(["whoami", "-i", "sealed.age"])
        .env("SECRETREE_KEY_COMMAND", "print-key")
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            (public key not known)
              sealed.age is encrypted, and no `.pub` file beside it says its public key
            (public key not known)
              SECRETREE_KEY_COMMAND is a command, run when a grant needs it
            --- stderr
            warning: `[SANDBOX]/ada/config/secretree/identity.txt` holds no identity in line 1
        "#]]);
    assert!(!ada.work("started").exists());
}

#[test]
fn an_ssh_key_with_a_passphrase_is_known_without_it() {
    if !require(&["ssh-keygen"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    std::fs::remove_file(ada.identity_file()).unwrap();
    ada.command(
        "ssh-keygen",
        ["-q", "-t", "ed25519", "-N", "passphrase", "-C", "ada", "-f"],
    )
    .operand(ada.folder().join("home/.ssh/id_ed25519"))
    .run()
    .succeeds();
    ada.secretree(["whoami"]).run().check(expect![[r#"
        status: 0
        --- stdout
        ssh-ed25519 AAAA…
          ssh-ed25519 from [SANDBOX]/ada/home/.ssh/id_ed25519
    "#]]);
}

#[test]
fn a_broken_policy_hides_no_identity() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    ada.write(".secrets.yaml", "version: 1\nid: nonsense\n");
    ada.secretree(["whoami"]).run().check(expect![[r#"
        status: 0
        --- stdout
        age1…
          x25519 from [SANDBOX]/ada/config/secretree/identity.txt
        --- stderr
        warning: the policy cannot be used: `.secrets.yaml` line 2 column 5: `id` is 32 lower-case hex digits in quotes
    "#]]);
}
