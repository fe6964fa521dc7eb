//! `check --since` with OpenPGP keys made by GnuPG: what counts is the fingerprint that the policy names, of the key that
//! signed or of the one that it belongs to, and a key ring that has it.

use std::path::PathBuf;

use crate::check_codes::Scene;
use crate::output::Output;
use crate::sandbox::Person;
use crate::tools::require;

/// GnuPG in one person's home; its agent ends with it.
struct KeyRing<'a> {
    owner: &'a Person,
}

impl<'a> KeyRing<'a> {
    fn of(owner: &'a Person) -> Self {
        let folder = Self { owner }.folder();
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        Self { owner }
    }

    fn folder(&self) -> PathBuf {
        self.owner.folder().join("home/.gnupg")
    }

    fn gpg(&self, words: &[&str]) -> Output {
        let quiet = [
            "--batch",
            "--quiet",
            "--yes",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ];
        self.owner.command("gpg", [&quiet, words].concat()).run()
    }

    /// A new key that signs, under a name that anybody can type; its fingerprint.
    fn makes(&self, name: &str) -> String {
        let user = format!("{name} <{name}@example.com>");
        self.gpg(&["--quick-generate-key", &user, "ed25519", "sign", "never"])
            .code(0);
        let listed = self.gpg(&["--list-keys", "--with-colons"]).stdout();
        let mut fingerprints = listed.lines().filter_map(|line| line.strip_prefix("fpr:::::::::"));
        fingerprints.next_back().unwrap().trim_end_matches(':').to_owned()
    }
}

impl Drop for KeyRing<'_> {
    fn drop(&mut self) {
        self.owner.command("gpgconf", ["--kill", "all"]).run();
    }
}

fn commit(scene: &Scene, key: &str) {
    let setting = format!("user.signingkey={key}!");
    scene.git(&["add", "--all"]);
    scene.git(&["-c", &setting, "commit", "--quiet", "-S", "-m", "x"]);
}

/// The findings since `known`, as their lines without hints.
fn found(person: &Person) -> String {
    let output = person
        .secretree(["check", "--since", "known"])
        .inside("../../alice/work")
        .run();
    let lines = output.stdout();
    let lines = lines.lines().filter(|line| !line.starts_with("  "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_openpgp_signature_counts_by_the_fingerprint_that_the_policy_names() {
    if !require(&["gpg", "gpg-agent", "gpgconf"]) {
        return;
    }
    let scene = Scene::new();
    let ring = KeyRing::of(&scene.alice);
    let (alices, bobs) = (ring.makes("alice"), ring.makes("bob"));
    for (person, key) in [(&scene.alice, &alices), (&scene.bob, &bobs)] {
        let line = format!("keys: [{}]", person.public_key());
        // Small letters and capitals are the same fingerprint.
        scene.change_policy(&line, &format!("{line}, signing_keys: [\"{}\"]", key.to_lowercase()));
    }
    scene.change_policy("recipients:\n", "maintainers: [alice]\nrecipients:\n");
    scene.alice.commit("signing keys");
    scene.git(&["tag", "known"]);

    scene.set("prod", "database.password", "third-password");
    commit(&scene, &alices);
    assert_eq!(found(&scene.alice), "");
    // By a key that belongs to alice's, which is the one that the policy names.
    scene.gpg_subkey(&ring, &alices);
    assert_eq!(found(&scene.alice), "");
    // Bob may change `dev` and not `prod`.
    scene.set("dev", "database.password", "third-password");
    commit(&scene, &bobs);
    assert_eq!(found(&scene.alice), "");
    scene.set("prod", "database.password", "fifth-password");
    commit(&scene, &bobs);
    let said = found(&scene.alice);
    assert!(
        said.starts_with("error[unauthorised-change]: commit ")
            && said.contains("changed `prod`, signed by `bob`, who may not"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    scene.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    // Another key under alice's name.
    let forged = ring.makes("alice");
    assert_ne!(forged, alices);
    scene.set("prod", "database.password", "sixth-password");
    commit(&scene, &forged);
    let unknown = "changed `prod`, with a signature that does not verify or whose key the policy does not know\n";
    let said = found(&scene.alice);
    assert!(said.ends_with(unknown) && said.lines().count() == 1, "{said}");
    scene.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    // Who has the public keys in no key ring cannot tell, and is not told that all is well.
    let said = found(&scene.bob);
    assert_eq!(said.matches("error[unauthorised-change]").count(), 3, "{said}");
    // What a revoked key signed does not count any more.
    let certificate = ring.folder().join(format!("openpgp-revocs.d/{bobs}.rev"));
    let text = std::fs::read_to_string(&certificate).unwrap();
    std::fs::write(&certificate, text.replace(":-----BEGIN", "-----BEGIN")).unwrap();
    ring.gpg(&["--import", certificate.to_str().unwrap()]).code(0);
    let said = found(&scene.alice);
    assert!(
        said.contains("changed `dev`, with a signature that does not verify"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

impl Scene {
    /// A change of `prod`, signed by a new subkey of this key.
    fn gpg_subkey(&self, ring: &KeyRing<'_>, key: &str) {
        ring.gpg(&["--quick-add-key", key, "ed25519", "sign", "never"]).code(0);
        let listed = ring.gpg(&["--list-keys", "--with-colons", key]).stdout();
        let subkey = listed
            .lines()
            .filter_map(|line| line.strip_prefix("fpr:::::::::"))
            .next_back();
        let subkey = subkey.unwrap().trim_end_matches(':');
        assert_ne!(subkey, key);
        self.set("prod", "database.password", "fourth-password");
        commit(self, subkey);
    }
}
