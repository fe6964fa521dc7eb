//! `recipient remove` where several policy files change: all of them or none, whenever the command dies.

use expect_test::expect;
use sha2::{Digest, Sha256};

use crate::crash::kill_again_and_again;
use crate::fixture::changes_nothing;
use crate::recipient::alice_and_bob;

#[test]
fn a_name_is_taken_out_of_policies_further_down_too() {
    let (alice, bob) = alice_and_bob();
    alice.secretree(["recipient", "add", "bob", &bob]).run().succeeds();
    alice.write(
        "services/billing/.secrets.yaml",
        "version: 1\nenvironments:\n  prod:\n    file: prod.yaml   # here\n    readers:\n      - alice\n      - bob  # billing\n",
    );
    alice
        .secretree(["recipient", "remove", "bob"])
        .inside("services")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            `bob` is out of recipients, services/billing/.secrets.yaml environments.prod.readers
            .secrets.yaml:
              -  bob: {keys: [age1…]}
            services/billing/.secrets.yaml:
              -      - bob  # billing
            next: `secretree apply billing/prod`, then commit
            until then the files grant what they granted; values that were read stay known: rotate what matters
        "#]]);
    let nested = alice.read_text("services/billing/.secrets.yaml");
    assert!(nested.ends_with("      - alice\n"), "{nested}");
    assert!(!alice.work(".secrets.journal").exists());
}

#[test]
fn a_killed_removal_leaves_both_files_old_or_both_new() {
    let (alice, bob) = alice_and_bob();
    alice.secretree(["recipient", "add", "bob", &bob]).run().succeeds();
    let root = alice.read_text(".secrets.yaml");
    let nested = "version: 1\nenvironments:\n  prod: {file: prod.yaml, readers: [alice, bob]}   # both\n".to_owned();
    let place = "services/billing/.secrets.yaml";
    let remove = |_| {
        alice.write(".secrets.yaml", &root);
        alice.write(place, &nested);
        alice.secretree(["recipient", "remove", "bob"])
    };
    kill_again_and_again(8, remove, |round| {
        // The next command finishes or forgets what is left.
        alice.secretree(["recipient", "list"]).run().succeeds();
        alice.secretree(["recipient", "add", "carol", "--group", "none"]).run();
        let (first, second) = (alice.read_text(".secrets.yaml"), alice.read_text(place));
        assert_eq!(
            first.contains("bob"),
            second.contains("bob"),
            "round {round}:\n{first}\n{second}"
        );
        assert!(!alice.work(".secrets.journal").exists(), "round {round}");
    });
}

#[test]
fn a_removal_that_died_half_done_is_seen_whole_and_finished() {
    let (alice, bob) = alice_and_bob();
    alice.secretree(["recipient", "add", "bob", &bob]).run().succeeds();
    let nested = "version: 1\nenvironments:\n  prod: {file: prod.yaml, readers: [alice, bob]}\n";
    let places = [".secrets.yaml", "services/.secrets.yaml"];
    alice.write(places[1], nested);
    alice.secretree(["recipient", "remove", "bob"]).run().succeeds();
    // As it was between two renames: the root's policy is new already, the other one waits beside.
    let hashes = places.map(|place| {
        let hash: String = Sha256::digest(alice.read(place))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("\"{place}\":\"{hash}\"")
    });
    alice.write("services/..secrets.yaml.secretree-new", alice.read(places[1]));
    alice.write(places[1], nested);
    alice.write(
        ".secrets.journal",
        format!("{{\"format\":1,\"files\":{{{}}}}}", hashes.join(",")),
    );
    changes_nothing(alice.secretree(["recipient", "list"])).succeeds();
    alice.secretree(["recipient", "add", "bob", &bob]).run().succeeds();
    assert!(!alice.read_text(places[1]).contains("bob"));
    assert!(!alice.work(".secrets.journal").exists());
}
