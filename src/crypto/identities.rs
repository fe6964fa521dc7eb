//! The private keys that somebody holds, from several sources. Finds the one that opens a grant: labels
//! say which fits, nothing is read, asked or started before it is needed, and nobody is asked twice.

use super::grant::GrantError;
use super::identity_file::{self, Effort};
use super::key_source::Held;
use super::label::GrantLabel;
use super::plugins::Plugins;
use super::public_key::PublicKey;
use crate::secret::Secret;

pub use super::key_source::KeySource;

/// All identities at hand, in the order in which they are tried.
pub struct Identities {
    sources: Vec<Held>,
    plugins: Plugins,
    most: Effort,
}

impl Identities {
    /// Nothing is read before it is needed.
    pub fn new(sources: Vec<KeySource>, plugins: Plugins) -> Self {
        let sources = sources.into_iter().map(Held::new).collect();
        Self {
            sources,
            plugins,
            most: Effort::Guess,
        }
    }

    /// The same, and nobody is ever asked and no program started: what needs that does not open.
    #[must_use]
    pub fn without_asking(self) -> Self {
        Self {
            most: Effort::Free,
            ..self
        }
    }

    /// The public keys that are known without passphrase, plugin or command, each with its source's name.
    pub fn public_keys(&mut self) -> Vec<(&str, &PublicKey)> {
        let mut known = Vec::new();
        for source in &mut self.sources {
            source.load(Effort::Free);
            known.extend(source.public_keys());
        }
        known
    }

    /// What could not be used so far: the name of the source, and why, as the end of a line.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().filter_map(Held::problem)
    }

    /// Where more keys are than [`Identities::public_keys`] knows: the name of the source, and why.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, String)> {
        self.sources.iter().flat_map(Held::unknown)
    }

    /// The names of the age plugins that identities read so far need, each with the name of its source.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().flat_map(Held::plugins)
    }

    /// Opens one of these grants, with the least effort. Returns its index and plaintext.
    pub(super) fn open(&mut self, grants: &[(&GrantLabel, &[u8])]) -> Result<(usize, Secret), GrantError> {
        let mut failure = None;
        let efforts = [Effort::Free, Effort::Asks, Effort::Guess];
        for effort in efforts.into_iter().filter(|effort| *effort <= self.most) {
            for source in &mut self.sources {
                match source.open(effort, grants, &self.plugins) {
                    Ok(Some(opened)) => return Ok(opened),
                    Ok(None) => {}
                    Err(GrantError::Unusable(error)) => {
                        failure.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(failure.map_or(GrantError::NoIdentity, GrantError::Unusable))
    }
}

/// A new age identity: its `AGE-SECRET-KEY-1…` line, and its public key.
pub fn generate_x25519() -> (Secret, PublicKey) {
    identity_file::generate()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::Command;
    use std::sync::{Arc, Mutex};

    use super::{Identities, KeySource, generate_x25519};
    use crate::crypto::envelope::seal_for;
    use crate::crypto::grant::{GrantError, GrantPlaintext, open_any, open_grant, seal_grant};
    use crate::crypto::key::EnvironmentKey;
    use crate::crypto::plugins::{Ask, Plugins};
    use crate::crypto::public_key::PublicKey;
    use crate::error::{Failure, Result};
    use crate::names::EnvironmentName;
    use crate::process::SearchPath;
    use crate::secret::Secret;

    /// Gives these answers, last first, and remembers the questions.
    #[derive(Default)]
    struct Answers {
        answers: Mutex<Vec<&'static str>>,
        asked: Mutex<Vec<String>>,
    }

    impl Ask for Answers {
        fn passphrase(&self, prompt: &str) -> Option<Secret> {
            self.asked.lock().unwrap().push(prompt.to_owned());
            self.answers.lock().unwrap().pop().map(Secret::from)
        }
        fn text(&self, _: &str) -> Option<String> {
            None
        }
        fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
            None
        }
        fn show(&self, _: &str) {}
    }

    struct Story {
        ask: Arc<Answers>,
        identities: Identities,
    }

    impl Story {
        fn new(sources: Vec<KeySource>, answers: &[&'static str]) -> Self {
            let ask = Arc::new(Answers {
                answers: Mutex::new(answers.to_vec()),
                ..Answers::default()
            });
            let identities = Identities::new(sources, Plugins::new(SearchPath::new(Vec::new(), None), ask.clone()));
            Self { ask, identities }
        }

        /// Whether a fresh grant for this key opens; the error's text otherwise.
        fn opens(&mut self, public: &PublicKey) -> Result<(), String> {
            let file = grant_for(public);
            match open_grant(&file, public.label(), &mut self.identities) {
                Ok(_) => Ok(()),
                Err(GrantError::NoIdentity) => Err("no identity".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }

        fn asked(&self) -> Vec<String> {
            std::mem::take(&mut *self.ask.asked.lock().unwrap())
        }
    }

    fn grant_for(public: &PublicKey) -> Vec<u8> {
        let grant = GrantPlaintext {
            policy: "5f0c0000000000000000000000000001".to_owned(),
            environment: EnvironmentName::new("prod").unwrap(),
            key: EnvironmentKey::generate(),
        };
        seal_grant(public, &grant, &Plugins::none()).unwrap()
    }

    fn encrypted(secret: &Secret) -> Secret {
        let mut recipient = age::scrypt::Recipient::new("right".to_owned().into());
        recipient.set_work_factor(2);
        Secret::new(seal_for(&recipient, secret.expose()).unwrap())
    }

    fn armored(file: &Secret) -> Secret {
        let mut writer = age::armor::ArmoredWriter::wrap_output(Vec::new(), age::armor::Format::AsciiArmor).unwrap();
        writer.write_all(file.expose()).unwrap();
        Secret::new(writer.finish().unwrap())
    }

    #[test]
    fn what_costs_nothing_is_tried_first() {
        let ((locked, _), (plain, public)) = (generate_x25519(), generate_x25519());
        let command = || -> Result<Secret> { panic!("a command is only run if nothing else fits") };
        let sources = vec![
            KeySource::command("a command", command),
            KeySource::bytes("locked", encrypted(&locked)),
            KeySource::bytes("plain", plain),
        ];
        let mut story = Story::new(sources, &[]);
        assert_eq!(story.opens(&public), Ok(()));
        let known: Vec<_> = story.identities.public_keys();
        assert_eq!(known, [("plain", &public)]);
        assert!(story.asked().is_empty());
    }

    #[test]
    fn a_locked_file_is_unlocked_once() {
        let (secret, public) = generate_x25519();
        for file in [encrypted(&secret), armored(&encrypted(&secret))] {
            let mut story = Story::new(vec![KeySource::bytes("key.age", file)], &["right", "wrong"]);
            assert_eq!(story.opens(&public), Ok(()));
            assert_eq!(story.opens(&public), Ok(()));
            assert_eq!(
                story.asked(),
                ["passphrase of `key.age`", "wrong; passphrase of `key.age`"]
            );
        }
    }

    #[test]
    fn nobody_is_asked_again_after_a_refusal() {
        let (secret, public) = generate_x25519();
        for (answers, reason) in [
            (&[][..], "the passphrase of `key.age` was not given"),
            (&["wrong"; 5][..], "the passphrase of `key.age` is wrong"),
        ] {
            let mut story = Story::new(vec![KeySource::bytes("key.age", encrypted(&secret))], answers);
            assert_eq!(story.opens(&public), Err(reason.to_owned()));
            assert!(!story.asked().is_empty());
            assert_eq!(story.opens(&public), Err(reason.to_owned()));
            assert!(story.asked().is_empty());
        }
    }

    #[test]
    fn a_locked_file_that_cannot_fit_stays_locked() {
        let ((secret, public), (_, other)) = (generate_x25519(), generate_x25519());
        let note = format!("# public key: {public}\n");
        let noted = [note.as_bytes(), armored(&encrypted(&secret)).expose()].concat();
        for source in [
            KeySource::bytes("noted", Secret::new(noted)),
            KeySource::bytes("beside", encrypted(&secret)).with_public_keys(public.to_string()),
        ] {
            let mut story = Story::new(vec![source], &["right"]);
            assert_eq!(story.opens(&other), Err("no identity".to_owned()));
            assert!(story.asked().is_empty());
            assert_eq!(story.opens(&public), Ok(()));
            assert_eq!(story.asked().len(), 1);
        }
    }

    #[test]
    fn a_command_is_run_once_and_its_failure_is_told() {
        let (secret, public) = generate_x25519();
        let mut story = Story::new(vec![KeySource::command("a command", move || Ok(secret))], &[]);
        assert_eq!((story.opens(&public), story.opens(&public)), (Ok(()), Ok(())));
        let failing = || Err(Failure::failed("it ended with 1").into());
        let mut story = Story::new(vec![KeySource::command("a command", failing)], &[]);
        for _ in 0..2 {
            let reason = "`a command` gave no identity: it ended with 1";
            assert_eq!(story.opens(&public), Err(reason.to_owned()));
        }
    }

    #[test]
    fn files_are_read_when_needed_and_missing_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = generate_x25519();
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
            path
        };
        put("key.age.pub", format!("{public}\n").as_bytes());
        let sources = vec![
            KeySource::file("absent", folder.path().join("absent")),
            KeySource::file("key.age", put("key.age", encrypted(&secret).expose())),
        ];
        let mut story = Story::new(sources, &["right"]);
        assert_eq!(story.identities.problems().count(), 0);
        assert_eq!(story.identities.public_keys(), [("key.age", &public)]);
        let problems: Vec<_> = story.identities.problems().collect();
        assert_eq!(problems, [("absent", "cannot be read: entity not found")]);
        assert_eq!(story.opens(&public), Ok(()));
    }

    #[test]
    fn among_several_grants_the_cheapest_is_opened() {
        let ((locked, first), (plain, second)) = (generate_x25519(), generate_x25519());
        let sources = vec![
            KeySource::bytes("locked", encrypted(&locked)).with_public_keys(first.to_string()),
            KeySource::bytes("plain", plain),
        ];
        let mut story = Story::new(sources, &[]);
        let files = [grant_for(&first), grant_for(&second)];
        let grants = [
            (first.label(), files[0].as_slice()),
            (second.label(), files[1].as_slice()),
        ];
        assert_eq!(open_any(&grants, &mut story.identities).unwrap().0, 1);
        assert!(story.asked().is_empty());
    }

    #[test]
    fn an_identity_of_a_missing_plugin_says_so() {
        let line = age::plugin::Identity::default_for_plugin("absent").unwrap().to_string();
        let text = age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked("age1absent"), &[3; 33]);
        let public = PublicKey::parse(&text).unwrap();
        let (_, other) = generate_x25519();
        let mut story = Story::new(vec![KeySource::bytes("plugin", Secret::from_text(line))], &[]);
        // The form of a plugin's grant may be any; this one was made for somebody else.
        let refused = open_grant(&grant_for(&other), public.label(), &mut story.identities);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the age plugin `age-plugin-absent` is not installed"
        );
    }

    /// A fresh key pair by OpenSSH; `None` where that is not installed.
    fn ssh_key(folder: &Path, kind: &str, passphrase: &str, form: &[&str]) -> Option<(KeySource, PublicKey)> {
        let path = folder.join(format!("{kind}{}{}", passphrase.len(), form.len()));
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", passphrase, "-C", "alice@host", "-f"])
            .arg(&path)
            .args(form)
            .status();
        if made.is_err() && std::env::var_os("SECRETREE_REQUIRE_TOOLS").is_none() {
            return None;
        }
        assert!(made.unwrap().success());
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        Some((KeySource::file(kind, path), PublicKey::parse(&public).unwrap()))
    }

    #[test]
    fn ssh_keys_open_grants_and_ask_only_if_encrypted() {
        let folder = tempfile::tempdir().unwrap();
        for (kind, passphrase, form, asked) in [
            ("ed25519", "", &[][..], 0),
            ("ed25519", "right", &[], 1),
            ("rsa", "", &[], 0),
            ("rsa", "right", &[], 1),
            ("rsa", "", &["-m", "PEM"], 0),
        ] {
            let Some((source, public)) = ssh_key(folder.path(), kind, passphrase, form) else {
                return;
            };
            let (_, other) = generate_x25519();
            let mut story = Story::new(vec![source], &["right"]);
            assert_eq!(story.identities.public_keys(), [(kind, &public)]);
            assert_eq!(story.opens(&other), Err("no identity".to_owned()));
            assert!(story.asked().is_empty());
            assert_eq!((story.opens(&public), story.opens(&public)), (Ok(()), Ok(())), "{kind}");
            assert_eq!(story.asked().len(), asked, "{kind}");
        }
    }

    #[test]
    fn small_rsa_keys_and_old_encryption_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let Some((source, _)) = ssh_key(folder.path(), "rsa", "right", &["-m", "PEM"]) else {
            return;
        };
        let mut story = Story::new(vec![source], &[]);
        assert!(story.identities.public_keys().is_empty());
        let (_, problem) = story.identities.problems().next().unwrap();
        assert!(problem.contains("ssh-keygen -p"), "{problem}");
        let small = Command::new("ssh-keygen")
            .args(["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f"])
            .arg(folder.path().join("small"))
            .status();
        if small.is_ok_and(|status| status.success()) {
            let public = std::fs::read_to_string(folder.path().join("small.pub")).unwrap();
            assert!(PublicKey::parse(&public).unwrap_err().contains("2048"));
        }
    }
}
