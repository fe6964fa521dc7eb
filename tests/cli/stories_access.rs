//! A team with every kind of key, and one who leaves with his key and the whole history: what is written afterwards
//! stays closed to him, whatever he puts together.

use crate::fixture::changes_nothing;
use crate::plugins::PLUGIN;
use crate::recipients::{private, ssh_key};
use crate::sandbox::Person;
use crate::team::Team;
use crate::terminal::Terminal;
use crate::tools::require;
use bech32::{Bech32, Hrp};

const FILE: &str = "secrets/prod.yaml";

/// The body and the footer of an environment's file.
fn halves(text: &str) -> (&str, &str) {
    let at = text.find("\nsecretree:").expect("it has a footer");
    text.split_at(at)
}

/// Every version of the file in this clone's history.
fn versions(person: &Person) -> Vec<String> {
    let commits = person.git(["log", "--all", "--format=%H", "--", FILE]).run().stdout();
    let text = |commit: &str| person.git(["show", &format!("{commit}:{FILE}")]).run().stdout();
    commits.lines().map(text).collect()
}

#[test]
fn who_was_offboarded_reads_nothing_that_is_written_afterwards() {
    if !require(&["ssh-keygen", "python3"]) {
        return;
    }
    let team = Team::with_policy(&["alice", "bob", "carol", "ci"], "environments: {}\n");
    let (alice, bob, carol, ci) = (
        team.person("alice"),
        team.person("bob"),
        team.person("carol"),
        team.person("ci"),
    );
    team.sandbox().script("age-plugin-pad", PLUGIN);
    let plugin = bech32::encode::<Bech32>(Hrp::parse("age1pad").unwrap(), &[7; 16]).unwrap();
    let (bobs, carols) = (bob.folder().join("key"), carol.folder().join("key"));
    let bobs_key = ssh_key(&bob, "ed25519", &bobs, "open sesame");
    let carols_key = ssh_key(&carol, "rsa", &carols, "");
    for person in [&bob, &carol] {
        std::fs::remove_file(person.identity_file()).unwrap();
    }
    let all = [
        ("alice", alice.public_key()),
        ("bob", bobs_key),
        ("carol", carols_key),
        ("ci", ci.public_key()),
        ("token", plugin),
    ];
    let rest = "groups: {platform: [alice, bob, carol]}\nenvironments:\n  prod: {file: secrets/prod.yaml, readers: [platform, ci, token]}\n";
    let keys: Vec<_> = all.iter().map(|(name, key)| (*name, key.as_str())).collect();
    alice.write(".secrets.yaml", crate::fixture::policy(&keys, rest));
    for path in ["db.password", "stripe.key"] {
        alice.secretree(["set", "prod", path]).input("old").run().succeeds();
    }
    team.share(&alice, "values");
    for person in [&bob, &carol, &ci] {
        team.update(person);
    }
    // Bob reads with his passphrase, carol with her RSA key, the machine with its own.
    let run = bob.secretree(["-i"]).operand(&bobs);
    let run = run.operand("get").operand("prod").operand("stripe.key");
    let mut terminal = Terminal::start(run.env("PINENTRY_PROGRAM", "/none"));
    terminal.expect("passphrase of").send_hidden("open sesame\n");
    terminal.finish().code(0);
    let get = |person: &Person, identity: &std::path::Path| {
        let run = person.secretree(["-i"]).operand(identity);
        run.operand("get").operand("prod").operand("stripe.key").run()
    };
    get(&carol, &carols).succeeds().prints("old");
    alice
        .secretree(["offboard", "bob", "--yes", "--commit"])
        .run()
        .succeeds()
        .prints("[ ] prod:db.password\n[ ] prod:stripe.key\n");
    alice
        .secretree(["set", "prod", "stripe.key", "--commit"])
        .input("new")
        .run()
        .succeeds();
    alice
        .secretree(["offboard", "bob", "--dry-run"])
        .run()
        .prints("[ ] prod:db.password\n");
    team.share_head(&alice);
    for person in [&bob, &carol, &ci] {
        team.update(person);
    }
    get(&carol, &carols).succeeds().prints("new");
    ci.secretree(["get", "prod", "stripe.key"])
        .run()
        .succeeds()
        .prints("new");
    // Bob, without the trouble of the passphrase, and everything that history holds.
    let open = bob.folder().join("open");
    private(&open, std::fs::read(&bobs).unwrap());
    bob.command("ssh-keygen", ["-q", "-p", "-P", "open sesame", "-N", "", "-f"])
        .operand(&open)
        .run()
        .succeeds();
    changes_nothing({
        let run = bob.secretree(["-i"]).operand(&open);
        run.operand("get").operand("prod").operand("stripe.key")
    })
    .code(4);
    let versions = versions(&bob);
    assert!(versions.len() >= 3, "{}", versions.len());
    let state = bob.folder().join("state");
    for body in &versions {
        for footer in &versions {
            bob.write(FILE, format!("{}{}", halves(body).0, halves(footer).1));
            // As if this machine had never seen anything, and outside of any repository too.
            std::fs::remove_dir_all(&state).unwrap();
            std::fs::create_dir(&state).unwrap();
            assert!(!get(&bob, &open).stdout().contains("new"));
        }
    }
    std::fs::rename(bob.work(".git"), bob.folder().join("git")).unwrap();
    for footer in &versions {
        bob.write(FILE, format!("{}{}", halves(&versions[0]).0, halves(footer).1));
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::create_dir(&state).unwrap();
        assert!(!get(&bob, &open).stdout().contains("new"));
    }
}
