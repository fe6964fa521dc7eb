//! Vectors of tokens in the wrong place, with other bytes, and sealed in another way.

use secretree::crypto::envelope::{from_base64, seal, to_base64};

use super::Vector;
use super::draft::{Draft, OPENS_PASSWORD, OTHER_POLICY_ID, POLICY_ID, key, padded, password, refused, version};
use super::stanzas::{Passphrase, altered, encrypt, relettered};

/// How messages name the place of the value that most vectors are about.
pub(super) const PASSWORD: &str = "prod:database.password";

const USER: &str = "prod:database.user";

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = moved();
    all.extend(copied());
    all.extend(altered_bytes());
    all.extend(sealed_otherwise());
    all
}

/// The age file of a token.
fn file_of(token: &str) -> Vec<u8> {
    let base64 = token
        .rsplit(',')
        .next()
        .expect("a token has commas")
        .trim_end_matches(']');
    from_base64(base64, 1 << 20).expect("it was just made")
}

fn moved() -> Vec<Vector> {
    let mut swapped = Draft::new();
    let (user, password) = (swapped.token("database.user"), swapped.token("database.password"));
    swapped.put("database.user", password.clone());
    swapped.put("database.password", user);
    let base = Draft::new();
    let renamed = base.text().replace("  password: |-", "  passphrase: |-");
    let mut items = Draft::new();
    let (one, two) = (items.token("hosts.0"), items.token("hosts.1"));
    items.put("hosts.0", two);
    items.put("hosts.1", one);
    let mut copied = Draft::new();
    copied.put("database.user", password);
    let as_key = base
        .text()
        .replace("hosts:\n  - |-", "hosts:\n  \"0\": |-")
        .replace("  - |-", "  \"1\": |-");
    let mut unnormalised = Draft::with_body("caf\u{e9}: canary-7d1e\nport: 5432\n");
    unnormalised.body = unnormalised.body.replace('\u{e9}', "e\u{301}");
    let token = unnormalised.token("\"caf\u{e9}\"");
    unnormalised.tokens.insert("\"cafe\u{301}\"".to_owned(), token);
    vec![
        refused(
            "token-swapped",
            "the tokens of two paths stand in each other's place",
            swapped.text(),
            OPENS_PASSWORD,
            &[PASSWORD, USER],
        ),
        refused(
            "token-moved",
            "the key above a token was renamed",
            renamed,
            &[&["get", "prod", "database.passphrase"], &["edit", "prod"]],
            &["prod:database.passphrase", PASSWORD],
        ),
        refused(
            "token-copied-in-the-file",
            "the token of one path stands at another too",
            copied.text(),
            &[&["get", "prod", "database.user"], &["edit", "prod"]],
            &[USER, PASSWORD],
        ),
        refused(
            "token-moved-in-a-list",
            "two list items stand in each other's place",
            items.text(),
            &[&["get", "prod", "hosts.1"], &["edit", "prod"]],
            &["prod:hosts.1", "prod:hosts.0"],
        ),
        refused(
            "token-of-an-item-at-a-key",
            "the tokens of list items 0 and 1 stand at the keys \"0\" and \"1\"",
            as_key,
            &[&["get", "prod", "hosts.\"0\""], &["edit", "prod"]],
            &["prod:hosts.\"0\"", "prod:hosts.0"],
        ),
        refused(
            "token-at-an-equal-looking-key",
            "the key above a token was written with a combining accent: paths are compared by bytes",
            unnormalised.text(),
            &[&["edit", "prod"]],
            &["cafe\u{301}", "caf\u{e9}"],
        ),
    ]
}

fn copied() -> Vec<Vector> {
    let prod = Draft::new();
    let dev = Draft::of("dev", key("dev key"), POLICY_ID, &prod.body);
    let other = Draft::of("prod", key("other key"), OTHER_POLICY_ID, &prod.body);
    let with = |token: String| {
        let mut draft = Draft::new();
        draft.put("database.password", token);
        draft.text()
    };
    let relabelled = |from: &Draft| {
        from.token("database.password")
            .replace(from.key.id().as_str(), prod.key.id().as_str())
    };
    let sealed_for = |name: &str| {
        let file = seal(
            &prod.key,
            &padded(
                &password("\"canary-7d1e\"")
                    .replace("\"environment\":\"prod\"", &format!("\"environment\":\"{name}\"")),
            ),
        );
        with(prod.wrapped(&version("database.password"), &file))
    };
    let (dev_id, other_id) = (dev.key.id().to_string(), other.key.id().to_string());
    vec![
        refused(
            "token-of-another-environment",
            "a token of `dev`, under the key of `dev`",
            with(dev.token("database.password")),
            OPENS_PASSWORD,
            &[PASSWORD, &dev_id],
        ),
        refused(
            "token-of-another-environment-relabelled",
            "a token of `dev` that claims the key of `prod`",
            with(relabelled(&dev)),
            OPENS_PASSWORD,
            &[PASSWORD],
        ),
        refused(
            "token-sealed-for-another-environment",
            "under the key of `prod`, but for `dev` inside",
            sealed_for("dev"),
            OPENS_PASSWORD,
            &[PASSWORD, "dev:database.password"],
        ),
        refused(
            "token-sealed-for-no-environment",
            "the environment inside is no name",
            sealed_for("PROD"),
            OPENS_PASSWORD,
            &[PASSWORD],
        ),
        refused(
            "token-of-another-policy",
            "a token of `prod` in another repository",
            with(other.token("database.password")),
            OPENS_PASSWORD,
            &[PASSWORD, &other_id],
        ),
        refused(
            "token-of-another-policy-relabelled",
            "a token of `prod` in another repository that claims the key of this one",
            with(relabelled(&other)),
            OPENS_PASSWORD,
            &[PASSWORD],
        ),
    ]
}

fn altered_bytes() -> Vec<Vector> {
    let base = Draft::new();
    let file = file_of(&base.token("database.password"));
    let at = |mark: &[u8]| {
        file.windows(mark.len())
            .position(|part| part == mark)
            .expect("a token has it")
    };
    let mac = at(b"\n--- ") + 8;
    let cases = [
        (
            "token-altered-salt",
            "one bit of the salt is another",
            relettered(&file, at(b"scrypt ") + 8),
        ),
        (
            "token-altered-stanza",
            "one bit of the wrapped file key is another",
            relettered(&file, at(b" 1\n") + 9),
        ),
        (
            "token-altered-mac",
            "one bit of the header's MAC is another",
            relettered(&file, mac),
        ),
        (
            "token-altered-nonce",
            "one bit of the payload's nonce is another",
            altered(&file, mac + 44),
        ),
        (
            "token-altered-payload",
            "one bit of the payload is another",
            altered(&file, file.len() - 40),
        ),
        (
            "token-altered-tag",
            "one bit of the last byte is another",
            altered(&file, file.len() - 1),
        ),
        (
            "token-truncated",
            "the last byte is missing",
            file[..file.len() - 1].to_vec(),
        ),
        (
            "token-truncated-to-its-header",
            "nothing stands behind the header",
            file[..mac + 41].to_vec(),
        ),
        (
            "token-extended",
            "a byte stands behind the end",
            [&file[..], b"\0"].concat(),
        ),
        (
            "token-that-is-no-age-file",
            "base64 of other bytes",
            b"canary-7d1e is not an age file".to_vec(),
        ),
        (
            "token-of-another-age-version",
            "the age file says version 2",
            [b"age-encryption.org/v2", &file[21..]].concat(),
        ),
        (
            "token-with-armor",
            "an ASCII-armored age file",
            format!(
                "-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n",
                to_base64(&file)
            )
            .into_bytes(),
        ),
        (
            "token-with-crlf-header",
            "the header has CRLF line ends",
            String::from_utf8_lossy(&file[..mac + 41])
                .replace('\n', "\r\n")
                .into_bytes()
                .into_iter()
                .chain(file[mac + 41..].iter().copied())
                .collect(),
        ),
    ];
    let vector = |(name, about, file): (&str, &str, Vec<u8>)| {
        let mut draft = Draft::new();
        draft.put_file("database.password", &file);
        refused(name, about, draft.text(), OPENS_PASSWORD, &[PASSWORD])
    };
    cases.into_iter().map(vector).collect()
}

fn sealed_otherwise() -> Vec<Vector> {
    let base = Draft::new();
    let json = padded(&password("\"canary-7d1e\""));
    let with_passphrase =
        |factors: &[(u8, &str)], grease| Passphrase::new(&base.key, factors).with_grease(grease).encrypt(&json);
    let drop_box: age::x25519::Recipient = base.key.drop_box().as_str().parse().expect("a drop box is an age key");
    let cases = [
        (
            "token-work-factor-2",
            "sealed with work factor 2",
            with_passphrase(&[(2, "2")], false),
        ),
        (
            "token-work-factor-10",
            "sealed with work factor 10",
            with_passphrase(&[(10, "10")], false),
        ),
        (
            "token-work-factor-0",
            "the header says work factor 0",
            with_passphrase(&[(1, "0")], false),
        ),
        (
            "token-work-factor-18",
            "the header says work factor 18",
            with_passphrase(&[(1, "18")], false),
        ),
        (
            "token-work-factor-30",
            "the header asks for 2^30: refused before a terabyte is filled",
            with_passphrase(&[(1, "30")], false),
        ),
        (
            "token-work-factor-huge",
            "the header says a number that fits no integer",
            with_passphrase(&[(1, "99999999999999999999")], false),
        ),
        (
            "token-work-factor-respelled",
            "the header says `01`",
            with_passphrase(&[(1, "01")], false),
        ),
        (
            "token-two-stanzas",
            "two passphrase stanzas",
            with_passphrase(&[(1, "1"), (1, "1")], false),
        ),
        (
            "token-two-stanzas-one-costly",
            "a second passphrase stanza asks for 2^30",
            with_passphrase(&[(1, "1"), (1, "30")], false),
        ),
        (
            "token-with-grease",
            "a stanza of an unknown type stands behind the passphrase stanza",
            with_passphrase(&[(1, "1")], true),
        ),
        (
            "token-for-a-public-key",
            "sealed to the drop box, which everybody knows",
            encrypt(&[&drop_box], &json),
        ),
    ];
    let vector = |(name, about, file): (&str, &str, Vec<u8>)| {
        let mut draft = Draft::new();
        draft.put_file("database.password", &file);
        refused(name, about, draft.text(), OPENS_PASSWORD, &[PASSWORD])
    };
    cases.into_iter().map(vector).collect()
}
