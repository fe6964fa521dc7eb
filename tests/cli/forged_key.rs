//! The forged key: grants need only public keys, so somebody who may write the repository and reads nothing can invent an
//! environment key and grant it to everybody. Whatever such a file says, nothing of it is delivered and nothing is ever
//! sealed under its key. `Forgery` is the attacker's workshop, made of the library as anybody could use it.

use std::path::Path;

use secretree::crypto::envelope::{from_base64, to_base64};
use secretree::crypto::grant::{GrantPlaintext, seal_grant};
use secretree::crypto::identities::{Identities, KeySource};
use secretree::crypto::key::EnvironmentKey;
use secretree::crypto::plugins::Plugins;
use secretree::crypto::public_key::PublicKey;
use secretree::crypto::token::{TokenKind, TokenPlaintext, seal_token};
use secretree::document::token::Token;
use secretree::document::tree::{Rules, Tree};
use secretree::names::{EnvironmentName, KeyId, RecipientName, Version};
use secretree::value::{LineEnd, Value};
use secretree::vault::footer::Footer;

use crate::output::Output;
use crate::sandbox::Person;
use crate::team::{POLICY_ID, Team};

/// An environment file made outside of the program.
pub(crate) struct Forgery {
    /// Its key, whoever made it.
    pub(crate) key: EnvironmentKey,
    policy: String,
    body: String,
    footer: Footer,
}

impl Forgery {
    /// An empty file of an environment under `key`, for the policy `policy`.
    pub(crate) fn with_key(environment: &str, policy: &str, key: EnvironmentKey) -> Self {
        let name = EnvironmentName::new(environment).unwrap();
        Self {
            footer: Footer::new(name, key.drop_box().clone()),
            policy: policy.to_owned(),
            body: String::new(),
            key,
        }
    }

    /// An empty file of `dev` under an invented key.
    pub(crate) fn of_dev() -> Self {
        Self::with_key("dev", POLICY_ID, EnvironmentKey::generate())
    }

    /// With a grant for each of these people.
    pub(crate) fn granted_to(mut self, people: &[&Person]) -> Self {
        for person in people {
            let public = PublicKey::parse(&person.public_key()).unwrap();
            let grant = GrantPlaintext {
                policy: self.policy.clone(),
                environment: self.footer.environment.clone(),
                key: self.key.clone(),
            };
            let file = to_base64(&seal_grant(&public, &grant, &Plugins::none()).unwrap());
            let name = RecipientName::new(person.folder().file_name().unwrap().to_str().unwrap()).unwrap();
            let grants = self.footer.grants.entry(name).or_default();
            grants.insert(public.label().clone(), file);
        }
        self
    }

    /// With a value at the root key `name`, sealed under the file's key.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let token = sealed(&self.key, &self.footer.environment, name, value);
        self.with_text(&format!("{name}: |-\n  {token}\n"))
    }

    /// With this text at the end of the body.
    pub(crate) fn with_text(mut self, text: &str) -> Self {
        self.body += text;
        self
    }

    /// Vouched for by `old`, which the forger holds.
    pub(crate) fn following(self, old: &EnvironmentKey) -> Self {
        let id = old.id().clone();
        self.claiming_to_follow(id, old)
    }

    /// With an entry of `follows` for the key `id` that was sealed under `sealer`.
    pub(crate) fn claiming_to_follow(mut self, id: KeyId, sealer: &EnvironmentKey) -> Self {
        let plaintext = TokenPlaintext::follows(self.footer.environment.clone(), self.key.drop_box());
        let base64 = seal_token(sealer, &plaintext).unwrap();
        let version = Version::follows();
        let token = Token {
            key: id.clone(),
            version,
            base64: &base64,
        };
        let token = token.to_string();
        self.footer.follows.insert(id, token);
        self
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let gap = if self.body.is_empty() { "" } else { "\n" };
        format!("{}{gap}{}", self.body, self.footer.write(LineEnd::Lf))
    }
}

/// A token for the root key `name` under `key`.
pub(crate) fn sealed(key: &EnvironmentKey, environment: &EnvironmentName, name: &str, value: &str) -> String {
    let plaintext = TokenPlaintext {
        kind: TokenKind::Value,
        environment: environment.clone(),
        path: format!("[\"{name}\"]"),
        version: Version::new("v0badc0de").unwrap(),
        value: Value::text(value),
        source: None,
    };
    let base64 = seal_token(key, &plaintext).unwrap();
    let token = Token {
        key: key.id().clone(),
        version: plaintext.version,
        base64: &base64,
    };
    token.to_string()
}

/// The footer of an environment file.
pub(crate) fn footer_of(text: &str) -> Footer {
    let tree = Tree::parse(text, Rules::File).unwrap();
    Footer::read(&tree.footer.unwrap().entry).unwrap()
}

/// The key of an environment file, as somebody holds it who was granted it.
pub(crate) fn key_held_by(person: &Person, text: &str) -> EnvironmentKey {
    let footer = footer_of(text);
    let source = KeySource::file("identity".to_owned(), person.identity_file());
    let mut identities = Identities::new(vec![source], Plugins::none());
    let grants: Vec<_> = footer
        .all_grants()
        .map(|(_, label, file)| (label, from_base64(file, 1 << 14).unwrap()))
        .collect();
    let borrowed: Vec<_> = grants.iter().map(|(label, file)| (*label, file.as_slice())).collect();
    secretree::crypto::grant::open_any(&borrowed, &mut identities)
        .unwrap()
        .1
        .key
}

/// Sets a value of an environment.
pub(crate) fn set(person: &Person, environment: &str, path: &str, value: &str) -> Output {
    person.secretree(["set", environment, path]).input(value).run()
}

/// The value at a path, which is printed.
#[track_caller]
pub(crate) fn assert_gets(person: &Person, environment: &str, path: &str, value: &str) {
    let output = person.secretree(["get", environment, path]).run();
    output.succeeds().prints(value);
}

/// Every command that delivers or writes, on an environment that holds `db` or not: all end with 5, say `words`, deliver
/// nothing and leave `file` as it is.
#[track_caller]
pub(crate) fn assert_refused(person: &Person, environment: &str, file: &str, words: &str, trust: Option<&str>) {
    let editor = person.sandbox().script(
        "edits",
        "#!/bin/sh\ncat \"$1\" >> \"$HOME/delivered\"\necho 'fresh: word' >> \"$1\"\n",
    );
    let before = person.read(file);
    let commands: [&[&str]; 9] = [
        &["get", environment, "db"],
        &["set", environment, "db"],
        &["set", environment, "brand.new"],
        &["set", environment, "made", "--generate", "hex:16"],
        &["edit", environment],
        &["unset", environment, "db"],
        &["encrypt", environment, "--yes"],
        &["apply", environment, "--yes"],
        &["apply", environment, "--yes", "--new-key"],
    ];
    for command in commands {
        let mut run = person
            .secretree(command)
            .input("typed-by-a-person")
            .env("EDITOR", &editor);
        if let Some(trust) = trust {
            run = run.env("SECRETREE_TRUST", trust);
        }
        let output = run.run();
        output.code(5).says(words).prints("");
        assert!(person.read(file) == before, "{command:?} wrote");
    }
    assert!(
        !person.folder().join("home/delivered").exists(),
        "the editor was started"
    );
}

/// Alice and bob share `dev` with one value; mallory can push and reads nothing.
pub(crate) fn shared_secret() -> (Team, Person, Person, Person) {
    let mut team = Team::new(&["alice", "bob"]);
    let (alice, bob) = (team.person("alice"), team.person("bob"));
    set(&alice, "dev", "db", "real").succeeds();
    team.share(&alice, "first value");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    let mallory = team.add("mallory");
    (team, alice, bob, mallory)
}

const FILE: &str = "secrets/dev.yaml";
const REFUSAL: &str = "is not trusted: the key";

#[test]
fn nothing_is_delivered_or_sealed_under_a_forged_key() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with("db", "forged");
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "rotate");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
    // Who had never seen the environment learns the true key from the history.
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, REFUSAL, None);
    // A word for the true key does not help the forged one; a word for the forged one is a person's own.
    let real = footer_of(&bob.read_text(FILE)).drop_box;
    let wrong = clone_of(&mut team, &alice, "wrong");
    assert_refused(&wrong, "dev", FILE, REFUSAL, Some(&format!("dev:{real}")));
    let told = clone_of(&mut team, &alice, "told");
    let named = format!("dev:{}", forgery.key.drop_box());
    let get = told.secretree(["get", "dev", "db"]).env("SECRETREE_TRUST", named);
    get.run().succeeds().prints("forged");
}

#[test]
fn only_a_footer_forged_around_true_tokens_is_refused() {
    let (team, alice, bob, mallory) = shared_secret();
    let text = mallory.read_text(FILE);
    let body = text.split_once("\nsecretree:").unwrap().0;
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with_text(body);
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "tidy the footer");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
    // An empty body: nothing to open, and `set` would be the first to seal.
    mallory.write(FILE, Forgery::of_dev().granted_to(&[&alice, &bob]).text());
    team.share(&mallory, "start over");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
}

#[test]
fn a_forged_key_is_refused_before_it_is_committed() {
    let (mut team, alice, bob, _) = shared_secret();
    let forged = Forgery::of_dev()
        .granted_to(&[&alice, &bob])
        .with("db", "forged")
        .text();
    let fresh = clone_of(&mut team, &alice, "fresh");
    for person in [&alice, &fresh] {
        person.write(FILE, &forged);
        assert_refused(person, "dev", FILE, "no commit yet", None);
        person.git(["add", FILE]).run().succeeds();
        assert_refused(person, "dev", FILE, REFUSAL, None);
    }
}

#[test]
fn without_git_what_the_machine_knew_still_counts() {
    let (_, alice, bob, _) = shared_secret();
    std::fs::remove_dir_all(alice.work(".git")).unwrap();
    assert_gets(&alice, "dev", "db", "real");
    alice.write(
        FILE,
        Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text(),
    );
    assert_refused(&alice, "dev", FILE, "cannot be checked", None);
}

#[test]
fn a_shallow_clone_that_knew_the_key_names_what_it_lacks() {
    let (mut team, alice, bob, mallory) = shared_secret();
    mallory.write(
        FILE,
        Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text(),
    );
    team.share(&mallory, "rotate");
    let real = footer_of(&bob.read_text(FILE)).drop_box;
    let shallow = shallow_clone_of(&mut team, &alice, "shallow");
    let trust = format!("dev:{real}");
    assert_refused(&shallow, "dev", FILE, "git fetch --unshallow", Some(&trust));
}

#[test]
fn a_file_deleted_and_made_again_is_refused() {
    for commits in [1, 2] {
        let (mut team, alice, bob, mallory) = shared_secret();
        let forged = Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text();
        mallory.git(["rm", "--quiet", FILE]).run().succeeds();
        if commits == 2 {
            team.share(&mallory, "drop dev");
        }
        mallory.write(FILE, forged);
        team.share(&mallory, "make dev");
        team.update(&alice);
        assert_refused(&alice, "dev", FILE, REFUSAL, None);
        let fresh = clone_of(&mut team, &alice, "fresh");
        assert_refused(&fresh, "dev", FILE, REFUSAL, None);
    }
}

#[test]
fn a_file_moved_elsewhere_is_refused() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let policy = mallory.read_text(".secrets.yaml");
    mallory.write(".secrets.yaml", policy.replace(FILE, "ops/dev.yaml"));
    mallory.git(["rm", "--quiet", FILE]).run().succeeds();
    let forged = Forgery::of_dev()
        .granted_to(&[&alice, &bob])
        .with("db", "forged")
        .text();
    mallory.write("ops/dev.yaml", forged);
    team.share(&mallory, "move dev");
    team.update(&alice);
    assert_refused(&alice, "dev", "ops/dev.yaml", REFUSAL, None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", "ops/dev.yaml", REFUSAL, None);
}

#[test]
fn another_policy_id_is_no_way_round() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let other = "00000000000000000000000000000bad";
    let policy = mallory.read_text(".secrets.yaml");
    mallory.write(".secrets.yaml", policy.replace(POLICY_ID, other));
    let forgery = Forgery::with_key("dev", other, EnvironmentKey::generate()).granted_to(&[&alice, &bob]);
    mallory.write(FILE, forgery.with("db", "forged").text());
    team.share(&mallory, "new policy");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, "was known in this folder", None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, "was known in this folder", None);
    // Without git, the machine still knows what stood in the folder.
    std::fs::remove_dir_all(alice.work(".git")).unwrap();
    assert_refused(&alice, "dev", FILE, "was known in this folder", None);
}

#[test]
fn another_projects_policy_and_file_are_not_put_in_place_of_ours() {
    // Alice reads both projects; mallory writes this one, and could not open what its code would be given.
    let (team, alice, _, mallory) = shared_secret();
    let elsewhere = Team::new(&["alice"]);
    let other = "11111111111111111111111111111111";
    let there = elsewhere.person("alice");
    let policy = there.read_text(".secrets.yaml").replace(POLICY_ID, other);
    there.write(".secrets.yaml", &policy);
    set(&there, "dev", "db", "of-the-other-project").succeeds();
    // One machine: alice works on the other project too.
    let visit = alice.folder().join("other");
    copy_tree(&there.work("."), &visit);
    std::fs::remove_dir_all(visit.join(".git")).unwrap();
    let output = alice.secretree(["get", "dev", "db"]).inside("../other").run();
    output.succeeds().prints("of-the-other-project");
    mallory.write(".secrets.yaml", policy);
    mallory.write(FILE, there.read(FILE));
    team.share(&mallory, "swap");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, "was known in this folder", None);
    // So does a clone that never opened anything: the history tells.
    let clone = alice.folder().join("clone");
    alice
        .git(["clone", "--quiet", "../../origin.git"])
        .operand(&clone)
        .run()
        .code(0);
    let output = alice.secretree(["get", "dev", "db"]).inside("../clone").run();
    output.code(5).says("was known in this folder").prints("");
}

#[test]
fn successors_and_predecessors_that_do_not_open_count_for_nothing() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let real = footer_of(&mallory.read_text(FILE)).drop_box;
    // Claims to follow the true key, by a token that mallory sealed under a key of hers.
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with("db", "forged");
    let forgery = forgery.claiming_to_follow(real.id(), &EnvironmentKey::generate());
    let original = mallory.read_text(FILE);
    mallory.write(FILE, forgery.text());
    team.share(&mallory, "rotate");
    team.update(&alice);
    assert_refused(&alice, "dev", FILE, REFUSAL, None);
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_refused(&fresh, "dev", FILE, REFUSAL, None);
    // Once the file is put back, the claim stays in the history and stops nobody.
    mallory.write(FILE, original);
    team.share(&mallory, "put back");
    team.update(&alice);
    assert_gets(&alice, "dev", "db", "real");
    set(&alice, "dev", "db", "newer").succeeds();
    team.share(&alice, "newer");
    assert_gets(&alice, "dev", "db", "newer");
    // A clone that never knew cannot tell which of two beginnings is true, until somebody says so.
    let late = clone_of(&mut team, &alice, "late");
    late.secretree(["get", "dev", "db"])
        .run()
        .code(5)
        .says("secretree trust dev");
    late.secretree(["trust", "dev", "--yes"]).run().succeeds();
    assert_gets(&late, "dev", "db", "newer");
}

#[test]
fn a_new_key_over_a_forged_commit_heals_every_clone() {
    let (mut team, alice, bob, mallory) = shared_secret();
    let original = alice.read_text(FILE);
    mallory.write(
        FILE,
        Forgery::of_dev()
            .granted_to(&[&alice, &bob])
            .with("db", "forged")
            .text(),
    );
    team.share(&mallory, "rotate");
    team.update(&alice);
    alice.write(FILE, original);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "heal");
    team.update(&bob);
    assert_gets(&bob, "dev", "db", "real");
    let fresh = clone_of(&mut team, &alice, "fresh");
    assert_gets(&fresh, "dev", "db", "real");
}

/// A machine of `person` that was never used: the same identity, an empty home, a clone of what `origin` holds.
pub(crate) fn clone_of(team: &mut Team, person: &Person, name: &str) -> Person {
    let machine = team.add(name);
    std::fs::copy(person.identity_file(), machine.identity_file()).unwrap();
    machine
}

/// The same with the newest commit only.
pub(crate) fn shallow_clone_of(team: &mut Team, person: &Person, name: &str) -> Person {
    let machine = team.sandbox().person(name);
    let origin = format!("file://{}", team.sandbox().root().join("origin.git").display());
    let clone = ["clone", "--quiet", "--depth", "1", &origin, "."];
    machine.git(clone).run().code(0);
    std::fs::copy(person.identity_file(), machine.identity_file()).unwrap();
    machine
}

/// Copies a folder.
fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
