//! Vectors of what stands under `grants`: hidden recipients, other labels and names, malformed plaintexts.

use secretree::crypto::envelope::to_base64;
use secretree::crypto::grant::{GrantPlaintext, seal_grant};
use secretree::crypto::plugins::Plugins;

use super::Vector;
use super::draft::{Command, Draft, OTHER_POLICY_ID, POLICY_ID, environment, key, padded, policy, public, refused_by};
use super::footers::touches;
use super::stanzas::{Passphrase, Unknown, altered, encrypt, with_zero_share};

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = grants();
    all.extend(grant_names());
    all.extend(grant_plaintexts());
    all.extend(grants_of_strangers());
    all
}

/// What puts a value under the file's key, for everybody who holds it.
const WRITES_PROD: &[Command<'_>] = &[
    &["set", "prod", "database.user"],
    &["set", "prod", "brand.new"],
    &["edit", "prod"],
];

/// Grants of public keys that are no reader's by the policy. They are sound, and whoever holds them reads; nothing is sealed
/// for them until there is a new key.
fn grants_of_strangers() -> Vec<Vector> {
    let mallory = public("mallory");
    let cases = [
        (
            "grant-of-a-stranger",
            "a public key is granted that the policy does not know",
            "mallory",
        ),
        (
            "grant-of-a-stranger-under-a-known-name",
            "a public key stands under alice's name that is not hers by the policy",
            "alice",
        ),
    ];
    let vector = |(name, about, reader): (&str, &str, &str)| {
        let mut draft = Draft::new();
        draft.grant(reader, &mallory, &draft.grant_plaintext(POLICY_ID));
        let names = ["`prod`", mallory.label().as_str(), "no reader"];
        refused_by(name, about, 1, &policy(), draft.text(), WRITES_PROD, &names)
    };
    cases.map(vector).into()
}

/// The draft with these bytes as alice's grant.
fn with_grant(file: &[u8]) -> String {
    let mut draft = Draft::new();
    draft.put_grant("alice", &public("alice"), file);
    draft.text()
}

fn grants() -> Vec<Vector> {
    let base = Draft::new();
    let alice = public("alice");
    let label = alice.label().as_str();
    let plaintext = base.grant_plaintext(POLICY_ID);
    let json = plaintext.encode();
    let recipient = |name: &str| -> age::x25519::Recipient { public(name).canonical().parse().expect("it is one") };
    let (to_alice, to_mallory) = (recipient("alice"), recipient("mallory"));
    let right = seal_grant(&alice, &plaintext, &Plugins::none()).expect("no plugin is needed");
    let mut large = json.to_vec();
    large.resize(17 * 1024, b' ');
    let scrypt = |factors: &[(u8, &str)]| Passphrase::new(&base.key, factors).encrypt(&json);
    let cases = [
        (
            "grant-second-recipient",
            "a second stanza grants the key to somebody who is not named",
            encrypt(&[&to_alice, &to_mallory], &json),
        ),
        (
            "grant-second-recipient-first",
            "the same, with the hidden recipient's stanza first",
            encrypt(&[&to_mallory, &to_alice], &json),
        ),
        (
            "grant-of-nobody",
            "only a stanza of an unknown type",
            encrypt(&[&Unknown(1)], &json),
        ),
        (
            "grant-with-many-stanzas",
            "more stanzas of an unknown type than any file needs",
            encrypt(&[&to_alice, &Unknown(40)], &json),
        ),
        ("grant-of-a-passphrase", "sealed with a passphrase", scrypt(&[(1, "1")])),
        (
            "grant-of-a-costly-passphrase",
            "sealed with a passphrase of work factor 30",
            scrypt(&[(1, "30")]),
        ),
        (
            "grant-of-another-recipient",
            "bob's grant stands under alice's label",
            seal_grant(&public("bob"), &plaintext, &Plugins::none()).expect("no plugin is needed"),
        ),
        (
            "grant-with-a-share-of-low-order",
            "the ephemeral share is the all-zero point",
            with_zero_share(&right),
        ),
        (
            "grant-altered",
            "one bit of the payload is another",
            altered(&right, right.len() - 40),
        ),
        (
            "grant-truncated",
            "the last byte is missing",
            right[..right.len() - 1].to_vec(),
        ),
        (
            "grant-extended",
            "a byte stands behind the end",
            [&right[..], b"\0"].concat(),
        ),
        ("grant-too-large", "larger than 16 KiB", encrypt(&[&to_alice], &large)),
        (
            "grant-that-is-no-age-file",
            "base64 of other bytes",
            b"canary-7d1e is not an age file".to_vec(),
        ),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, about, file)| touches(name, about, with_grant(&file), &["prod", label]))
        .collect();
    let base64 = to_base64(&right);
    let mut respelled = Draft::new();
    let mut put = |name, about, text: String, all: &mut Vec<Vector>| {
        let reader = secretree::names::RecipientName::new("alice").expect("it is one");
        respelled
            .footer
            .grants
            .get_mut(&reader)
            .expect("alice is granted")
            .insert(alice.label().clone(), text);
        all.push(touches(name, about, respelled.text(), &["prod.yaml", label]));
    };
    put(
        "grant-base64-of-urls",
        "the base64 has `-` and `_`",
        format!("{}-_{}", &base64[..50], &base64[52..]),
        &mut all,
    );
    put(
        "grant-base64-with-a-blank",
        "a blank stands in the base64",
        format!("{} {}", &base64[..50], &base64[50..]),
        &mut all,
    );
    put("grant-base64-empty", "the base64 is empty", String::new(), &mut all);
    all
}

fn grant_names() -> Vec<Vector> {
    let base = Draft::new();
    let (text, label) = (base.text(), public("alice").label().to_string());
    let ssh = label.replace("x25519", "ssh-ed25519");
    let plugin = label.replace("x25519", "plugin-pq");
    let mut group = Draft::new();
    group.grant("team", &public("carol"), &group.grant_plaintext(POLICY_ID));
    let mut twice = Draft::new();
    twice.grant("bob", &public("alice"), &twice.grant_plaintext(POLICY_ID));
    let in_capitals = text.replace(&label, &label.to_uppercase());
    let scalar = text.replace("    alice:\n", "    mallory: canary-7d1e\n    alice:\n");
    let no_name = text.replace("    bob:\n", "    \"Bob Builder\":\n");
    vec![
        touches(
            "grant-under-a-group",
            "a grant stands under the name of a group",
            group.text(),
            &["`prod`", "`team`"],
        ),
        touches(
            "grant-twice-for-one-key",
            "the same public key is granted under two names",
            twice.text(),
            &["prod.yaml", &label],
        ),
        touches(
            "grant-of-another-kind",
            "the label says `ssh-ed25519`, the stanza `X25519`",
            text.replace(&label, &ssh),
            &["prod.yaml", &ssh],
        ),
        touches(
            "grant-label-in-capitals",
            "the label is written in capitals",
            in_capitals,
            &["prod.yaml", "`alice`"],
        ),
        touches(
            "grant-label-short",
            "the label has one digit too few",
            text.replace(&label, &label[..label.len() - 1]),
            &["prod.yaml", "`alice`"],
        ),
        touches(
            "grant-label-of-no-kind",
            "the label names a kind that there is not",
            text.replace(&label, &label.replace("x25519", "x448")),
            &["prod.yaml", "`alice`"],
        ),
        touches(
            "grant-name-that-is-none",
            "a name under `grants` is no name",
            no_name,
            &["prod.yaml", "`grants`"],
        ),
        touches(
            "grant-without-label",
            "text stands where a recipient's grants belong",
            scalar,
            &["prod.yaml", "`grants`"],
        ),
        touches(
            "grants-list",
            "`grants` is a list",
            format!(
                "{}  grants: []\n",
                &text[..text.find("  grants:").expect("it has them")]
            ),
            &["prod.yaml", "`grants`"],
        ),
        refused_by(
            "grant-of-a-plugin-with-an-age-stanza",
            "a plugin's label on another's grant opens for nobody here",
            4,
            &policy(),
            text.replace(&label, &plugin),
            &[&["get", "prod", "port"]],
            &["`prod`"],
        ),
    ]
}

fn grant_plaintexts() -> Vec<Vector> {
    let base = Draft::new();
    let alice = public("alice");
    let to_alice: age::x25519::Recipient = alice.canonical().parse().expect("it is one");
    let right = base.grant_plaintext(POLICY_ID).encode();
    let right = std::str::from_utf8(&right).expect("it is JSON").trim_end().to_owned();
    let passphrase = base.key.passphrase().expose_text().expect("it is hex").to_owned();
    let other = key("dev key");
    let other_identity = other.drop_box_identity();
    let other_identity = other_identity.expose_text().expect("it is ASCII");
    let own_identity = base.key.drop_box_identity();
    let own_identity = own_identity.expose_text().expect("it is ASCII");
    let cases = [
        (
            "grant-with-another-drop-box",
            "the drop box inside is not the one of the passphrase inside",
            right.replace(own_identity, other_identity),
        ),
        (
            "grant-of-another-format",
            "the format inside is 2",
            right.replace("\"format\":1", "\"format\":2"),
        ),
        (
            "grant-of-another-type",
            "the type inside is `value`",
            right.replace("\"type\":\"grant\"", "\"type\":\"value\""),
        ),
        (
            "grant-passphrase-in-capitals",
            "the passphrase is written in capitals",
            right.replace(&passphrase, &passphrase.to_uppercase()),
        ),
        (
            "grant-passphrase-short",
            "the passphrase has 63 digits",
            right.replace(&passphrase, &passphrase[..63]),
        ),
        (
            "grant-with-blanks",
            "blanks stand in the JSON",
            right.replace("\":", "\": "),
        ),
        (
            "grant-with-an-unknown-member",
            "a member that the format does not know",
            right.replace("\"}", "\",\"note\":\"canary-7d1e\"}"),
        ),
        (
            "grant-without-policy",
            "`policy` is missing",
            right.replace(&format!("\"policy\":\"{POLICY_ID}\","), ""),
        ),
        (
            "grant-policy-in-capitals",
            "`policy` is written in capitals",
            right.replace(POLICY_ID, &POLICY_ID.to_uppercase()),
        ),
    ];
    let label = alice.label().as_str();
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, about, json)| {
            touches(
                name,
                about,
                with_grant(&encrypt(&[&to_alice], &padded(&json))),
                &["prod", label],
            )
        })
        .collect();
    all.push(touches(
        "grant-padding-missing",
        "the plaintext is not padded",
        with_grant(&encrypt(&[&to_alice], right.as_bytes())),
        &["prod", label],
    ));
    let seal_for = |plaintext: GrantPlaintext| {
        let file = seal_grant(&alice, &plaintext, &Plugins::none()).expect("no plugin is needed");
        with_grant(&file)
    };
    let (own_id, other_id) = (base.key.id().to_string(), other.id().to_string());
    all.push(touches(
        "grant-of-another-environment",
        "alice's grant is of `dev`",
        seal_for(GrantPlaintext {
            environment: environment("dev"),
            ..base.grant_plaintext(POLICY_ID)
        }),
        &["`prod`", "`dev`"],
    ));
    all.push(touches(
        "grant-of-another-policy",
        "alice's grant is of another repository",
        seal_for(base.grant_plaintext(OTHER_POLICY_ID)),
        &[POLICY_ID, OTHER_POLICY_ID],
    ));
    all.push(touches(
        "grant-of-another-key",
        "alice's grant holds another key",
        seal_for(GrantPlaintext {
            key: other,
            ..base.grant_plaintext(POLICY_ID)
        }),
        &[&own_id, &other_id],
    ));
    all
}
