//! A team with every kind of key, and one who leaves with his key and the whole history: what is written afterwards
//! stays closed to him, whatever he puts together.

use std::collections::BTreeSet;
use std::path::Path;

use bech32::{Bech32, Hrp};
use secretree::crypto::envelope::from_base64;
use secretree::crypto::key::EnvironmentKey;
use secretree::crypto::token::{TokenKind, open_token};
use secretree::secret::Secret;
use secretree::vault::footer::Footer;

use crate::fixture::changes_nothing;
use crate::forgery::footer_of;
use crate::plugins::PLUGIN;
use crate::recipients::{private, ssh_key};
use crate::sandbox::Person;
use crate::team::Team;
use crate::terminal::Terminal;
use crate::tools::require;

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

/// What a private key gives.
struct Spoils {
    /// How many environment keys.
    keys: usize,
    /// Every value that one of them opens.
    values: BTreeSet<String>,
}

/// Everything that a private key gives to whoever has these files and keeps to no rule of ours: stock age tries it on each
/// grant of each version, and each key that comes out is tried on each token of each version, whatever key,
/// path and environment those claim to be of.
fn spoils(person: &Person, identity: &Path, versions: &[String]) -> Spoils {
    let footers: Vec<Footer> = versions.iter().map(|text| footer_of(text)).collect();
    let grants: BTreeSet<&str> = footers
        .iter()
        .flat_map(Footer::all_grants)
        .map(|(_, _, file)| file)
        .collect();
    let mut passphrases = BTreeSet::new();
    for grant in grants {
        person.write("grant.age", from_base64(grant, 1 << 14).unwrap());
        let age = person.command("age", ["--decrypt", "--identity"]).operand(identity);
        let opened = age.operand("grant.age").run();
        if let Ok(grant) = serde_json::from_slice::<serde_json::Value>(opened.stdout_bytes()) {
            passphrases.insert(grant["passphrase"].as_str().unwrap().to_owned());
        }
    }
    let keys = passphrases
        .iter()
        .map(|text| EnvironmentKey::from_passphrase(&Secret::from(text.as_str())).unwrap());
    let keys: Vec<EnvironmentKey> = keys.collect();
    let token = regex::Regex::new(r"ENC\[age,k[0-9a-f]{16},v[0-9a-f]{8},([A-Za-z0-9+/=]+)\]").unwrap();
    let mut values = BTreeSet::new();
    for text in versions {
        let tokens = token.captures_iter(text).map(|found| found.extract::<1>().1[0]);
        for (token, key) in tokens.flat_map(|token| keys.iter().map(move |key| (token, key))) {
            match open_token(key, token) {
                // The successor's drop box stands beside it for everybody to read.
                Ok(opened) if opened.kind == TokenKind::Follows => {
                    let drop_box = opened.successor().unwrap();
                    assert!(footers.iter().any(|footer| footer.drop_box == drop_box));
                }
                Ok(opened) => {
                    values.insert(opened.value.delivered().expose_text().unwrap().to_owned());
                }
                Err(_) => {}
            }
        }
    }
    Spoils {
        keys: keys.len(),
        values,
    }
}

#[test]
fn who_was_offboarded_reads_nothing_that_is_written_afterwards() {
    if !require(&["age", "ssh-keygen", "python3"]) {
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
    let of_plugin = |prefix: &str| bech32::encode::<Bech32>(Hrp::parse(prefix).unwrap(), &[7; 16]).unwrap();
    let (plugin, tokens_key) = (of_plugin("age1pad"), team.sandbox().root().join("token.txt"));
    private(&tokens_key, of_plugin("age-plugin-pad-").to_uppercase() + "\n");
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
    get(&carol, &tokens_key).succeeds().prints("new");
    let set = carol.secretree(["-i"]).operand(&carols).operand("set").operand("prod");
    set.operand("late.key").input("carols").run().succeeds();
    team.share(&carol, "carol's");
    team.update(&bob);
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
    let spoils = spoils(&bob, &open, &versions);
    assert_eq!(spoils.values, BTreeSet::from(["old".to_owned()]));
    assert_eq!(spoils.keys, 1, "one key was his, and no grant gives him another");
    // What the others hold opens everything: it is not for want of trying.
    for (identity, keys) in [(&carols, 2), (&alice.identity_file(), 2)] {
        let theirs = self::spoils(&bob, identity, &versions);
        let all = ["carols", "new", "old"].map(str::to_owned);
        assert_eq!((theirs.values, theirs.keys), (BTreeSet::from(all), keys));
    }
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
