//! As in `unseen`, for the commands that change who reads what.

use crate::unseen::{unseen, words};

#[test]
fn grant_and_revoke() {
    unseen(|alice, _| {
        let bob = alice.sandbox().person("bob").public_key();
        let add = alice.secretree(["recipient", "add", "bob", &bob]);
        let others = [
            "grant bob dev",
            "grant bob dev prod --yes",
            "grant bob dev --yes --commit",
            "grant nobody dev",
            "revoke bob dev",
            "revoke bob dev --yes --commit",
            "revoke alice dev --yes",
            "revoke bob nowhere",
        ];
        let others = others.map(|operands| words(alice, operands));
        std::iter::once(add).chain(others).collect()
    });
}

#[test]
fn recipient_import() {
    unseen(|alice, canary| {
        let policy = alice.read_text(".secrets.yaml");
        if !policy.contains("groups:") {
            alice.write(".secrets.yaml", policy + "groups: {team: [alice]}\n");
        }
        alice.write("keys/bob.keys", alice.sandbox().person("bob").public_key());
        let list = format!(
            r#"[{{"login": "alice", "note": "{0}"}}, {{"login": "bob", "token": "{0}"}}]"#,
            canary.value()
        );
        let commands = [
            "recipient import --group team --keys keys",
            "recipient import --group team --keys keys --dry-run --json",
            "recipient import --group team --keys keys --yes --commit",
            "recipient import --group dev --keys keys",
        ];
        let commands = commands.map(|operands| words(alice, operands).input(list.as_str()));
        commands.into_iter().chain([words(alice, "apply dev --yes")]).collect()
    });
}

#[test]
fn offboard() {
    unseen(|alice, _| {
        let bob = alice.sandbox().person("bob").public_key();
        let add = alice.secretree(["recipient", "add", "bob", &bob]);
        let others = [
            "grant bob dev --yes --commit",
            "offboard bob --dry-run",
            "offboard bob --dry-run --json",
            "offboard bob --dry-run --markdown",
            "offboard bob --yes --commit",
            "offboard bob --yes",
            "offboard nobody",
        ];
        let others = others.map(|operands| words(alice, operands));
        std::iter::once(add).chain(others).collect()
    });
}
