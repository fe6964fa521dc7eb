//! Vectors of what stands under `follows`, `proposals` and `previous`.

use secretree::crypto::envelope::{seal, to_base64};
use secretree::crypto::key::EnvironmentKey;
use secretree::crypto::proposal::{ProposalLabel, ProposalPlaintext, seal_proposal};
use secretree::crypto::token::{TokenPlaintext, seal_token};
use secretree::document::path::ValuePath;
use secretree::names::Version;
use secretree::value::Value;
use secretree::vault::footer::Previous;

use super::Vector;
use super::draft::{
    Draft, MAKES_A_KEY, OPENS_PASSWORD, OTHER_POLICY_ID, POLICY_ID, environment, key, padded, password, public,
    refused, version,
};
use super::footers::touches;
use super::stanzas::{Passphrase, altered, encrypt, with_zero_share};

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = follows();
    all.extend(proposals());
    all.extend(previous());
    all
}

fn follows() -> Vec<Vector> {
    let base = Draft::new();
    let old = key("old key");
    let token = |key: &EnvironmentKey| {
        let plaintext = TokenPlaintext::follows(environment("prod"), base.key.drop_box());
        let base64 = seal_token(key, &plaintext).expect("it is small");
        format!("ENC[age,{},v00000000,{base64}]", key.id())
    };
    let with = |label: &str, content: &str| {
        base.text().replace(
            "  grants:\n",
            &format!("  follows:\n    {label}: |-\n      {content}\n  grants:\n"),
        )
    };
    let (old_id, own_id) = (old.id().to_string(), base.key.id().to_string());
    let right = token(&old);
    let cases = [
        (
            "follows-label-malformed",
            "a label under `follows` is no key id",
            with("k1", &right),
            "`follows`",
        ),
        (
            "follows-label-of-another",
            "the label names another key than the token",
            with("k0123456789abcdef", &right),
            "k0123456789abcdef",
        ),
        (
            "follows-with-a-version",
            "the token has a version",
            with(&old_id, &right.replace("v00000000", "v12345678")),
            &old_id,
        ),
        (
            "follows-itself",
            "the key follows itself",
            with(&own_id, &token(&base.key)),
            &own_id,
        ),
        (
            "follows-that-is-no-token",
            "text stands where a token belongs",
            with(&old_id, "canary-7d1e"),
            &old_id,
        ),
        (
            "follows-with-text-behind",
            "text stands behind the token",
            with(&old_id, &format!("{right} canary-7d1e")),
            &old_id,
        ),
    ];
    cases
        .into_iter()
        .map(|(name, about, text, named)| touches(name, about, text, &["prod.yaml", named]))
        .collect()
}

fn proposals() -> Vec<Vector> {
    let base = Draft::new();
    let plaintext = |policy: &str, name: &str| ProposalPlaintext {
        policy: policy.to_owned(),
        environment: environment(name),
        path: "[\"database\",\"password\"]".to_owned(),
        value: Value::text("canary-7d1e"),
    };
    let seal_for = |key: &EnvironmentKey, policy: &str, name: &str| {
        seal_proposal(key.drop_box(), &plaintext(policy, name))
            .expect("it is small")
            .1
    };
    let with = |file: &[u8]| {
        let mut draft = Draft::new();
        draft.footer.proposals.insert(ProposalLabel::of(file), to_base64(file));
        draft.text()
    };
    let right = seal_for(&base.key, POLICY_ID, "prod");
    let label = ProposalLabel::of(&right).to_string();
    let other_label = ProposalLabel::of(b"another").to_string();
    let recipient = |text: &str| -> age::x25519::Recipient { text.parse().expect("it is one") };
    let (drop_box, mallory) = (
        recipient(base.key.drop_box().as_str()),
        recipient(public("mallory").canonical()),
    );
    let json = plaintext(POLICY_ID, "prod").encode().expect("it is small");
    let text = std::str::from_utf8(&json).expect("it is JSON").trim_end().to_owned();
    let opened = |name: &str, about: &str, file: Vec<u8>, names: &[&str]| {
        let label = ProposalLabel::of(&file).to_string();
        refused(
            name,
            about,
            with(&file),
            MAKES_A_KEY,
            &[&["prod", label.as_str()], names].concat(),
        )
    };
    vec![
        touches(
            "proposal-relabelled",
            "the label is that of another proposal",
            with(&right).replace(&label, &other_label),
            &["prod.yaml", "`proposals`"],
        ),
        touches(
            "proposal-label-in-capitals",
            "the label is written in capitals",
            with(&right).replace(&label, &label.to_uppercase()),
            &["prod.yaml", "`proposals`"],
        ),
        touches(
            "proposal-altered-below-its-label",
            "a byte was changed, the label was not",
            with(&altered(&right, right.len() - 40))
                .replace(ProposalLabel::of(&altered(&right, right.len() - 40)).as_str(), &label),
            &["prod.yaml", "`proposals`"],
        ),
        touches(
            "proposal-that-is-no-base64",
            "text stands where a proposal belongs",
            with(&right).replace(&to_base64(&right), "canary-7d1e"),
            &["prod.yaml", "proposal"],
        ),
        opened(
            "proposal-with-a-share-of-low-order",
            "the ephemeral share is the all-zero point",
            with_zero_share(&right),
            &[],
        ),
        opened(
            "proposal-altered",
            "one bit of the payload is another, the label is right",
            altered(&right, right.len() - 40),
            &[],
        ),
        opened(
            "proposal-of-another-environment",
            "made for `dev`",
            seal_for(&base.key, POLICY_ID, "dev"),
            &["`dev`"],
        ),
        opened(
            "proposal-of-another-policy",
            "made for another repository",
            seal_for(&base.key, OTHER_POLICY_ID, "prod"),
            &[POLICY_ID, OTHER_POLICY_ID],
        ),
        opened(
            "proposal-for-another-drop-box",
            "sealed to the drop box of `dev`",
            seal_for(&key("dev key"), POLICY_ID, "prod"),
            &[],
        ),
        opened(
            "proposal-with-a-second-recipient",
            "a second stanza lets somebody else read it",
            encrypt(&[&drop_box, &mallory], &json),
            &[],
        ),
        opened(
            "proposal-of-a-passphrase",
            "sealed with a passphrase of work factor 30",
            Passphrase::new(&base.key, &[(1, "30")]).encrypt(&json),
            &[],
        ),
        opened(
            "proposal-with-blanks",
            "blanks stand in the JSON",
            encrypt(&[&drop_box], &padded(&text.replace("\":", "\": "))),
            &[],
        ),
        opened(
            "proposal-of-another-format",
            "the format inside is 2",
            encrypt(&[&drop_box], &padded(&text.replace("\"format\":1", "\"format\":2"))),
            &[],
        ),
        opened(
            "proposal-that-is-a-token",
            "the plaintext of a token",
            encrypt(&[&drop_box], &padded(&password("\"canary-7d1e\""))),
            &[],
        ),
    ]
}

fn previous() -> Vec<Vector> {
    let base = Draft::new();
    let old_version = Version::new("v5d0e77b1").expect("it is one");
    let old = password("\"canary-7d1e-old\"").replace(version("database.password").as_str(), old_version.as_str());
    let as_previous = old.replace("\"type\":\"value\"", "\"type\":\"previous\"");
    let token = |json: &str, version: &Version| base.wrapped(version, &seal(&base.key, &padded(json)));
    let right = token(&as_previous, &old_version);
    let with = |path: &[&str], token: String| {
        let mut draft = Draft::new();
        let previous = Previous {
            path: ValuePath::of_keys(path.iter().copied()),
            until: "2026-12-01".to_owned(),
            token,
        };
        draft.footer.previous.insert(old_version.clone(), previous);
        draft
    };
    let path = ["database", "password"];
    let text = with(&path, right.clone()).text();
    let mut exchanged = with(&path, token(&old, &old_version));
    exchanged.put("database.password", right.clone());
    let version = old_version.as_str();
    let opened = |name: &str, about: &str, draft: &Draft, names: &[&str]| {
        refused(
            name,
            about,
            draft.text(),
            MAKES_A_KEY,
            &[&["prod:database.password"], names].concat(),
        )
    };
    let field = |name: &str, about: &str, from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        touches(name, about, text.replace(from, to), &["prod.yaml", "`previous`"])
    };
    let dev = Draft::of("dev", key("dev key"), POLICY_ID, &base.body);
    let dev_previous = token(
        &as_previous.replace("\"environment\":\"prod\"", "\"environment\":\"dev\""),
        &old_version,
    );
    let dev_key = dev.wrapped(&old_version, &seal(&dev.key, &padded(&as_previous)));
    let (own_id, dev_id) = (base.key.id().to_string(), dev.key.id().to_string());
    vec![
        refused(
            "previous-exchanged-with-the-value",
            "the token of type `previous` stands in the text, and the value's under `previous`",
            exchanged.text(),
            OPENS_PASSWORD,
            &["prod:database.password", "previous"],
        ),
        opened(
            "previous-that-is-a-value",
            "a token of type `value` stands under `previous`",
            &with(&path, token(&old, &old_version)),
            &["value"],
        ),
        opened(
            "previous-of-another-path",
            "`path` is not the path inside",
            &with(&["database", "user"], right.clone()),
            &["prod:database.user"],
        ),
        opened(
            "previous-of-another-environment",
            "the token was sealed for `dev`",
            &with(&path, dev_previous),
            &["dev:database.password"],
        ),
        opened(
            "previous-of-another-key",
            "the token is of another key",
            &with(&path, dev_key),
            &[&own_id, &dev_id],
        ),
        opened(
            "previous-version-altered",
            "label and token have a version that is not the one inside",
            &with(&path, token(&as_previous.replace(version, "v11111111"), &old_version)),
            &[version, "v11111111"],
        ),
        touches(
            "previous-label-of-another-version",
            "the label is not the version of the token",
            text.replace(&format!("    {version}:"), "    v22222222:"),
            &["prod.yaml", "v22222222"],
        ),
        field(
            "previous-label-malformed",
            "a label is no version",
            &format!("    {version}:"),
            "    V5d0e77b1:",
        ),
        field(
            "previous-without-until",
            "`until` is missing",
            "      until: \"2026-12-01\"\n",
            "",
        ),
        field(
            "previous-until-that-is-no-date",
            "`until` is no date",
            "2026-12-01",
            "2026-13-01",
        ),
        field(
            "previous-unknown-field",
            "a field that the format does not know",
            "      until:",
            "      note: canary-7d1e\n      until:",
        ),
        field(
            "previous-path-respelled",
            "`path` has blanks",
            "[\"database\",\"password\"]",
            "[\"database\", \"password\"]",
        ),
        field(
            "previous-path-that-is-none",
            "`path` is text",
            "[\"database\",\"password\"]",
            "database.password",
        ),
        field(
            "previous-that-is-no-token",
            "text stands where the token belongs",
            &right,
            "canary-7d1e",
        ),
    ]
}
