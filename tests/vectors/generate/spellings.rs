//! Vectors of tokens that are spelled otherwise, and of readable scalars and collections where a token belongs.

use secretree::crypto::envelope::seal;

use super::Vector;
use super::draft::{Draft, OPENS_PASSWORD, TOUCHES_PROD, padded, password, policy_with, refused, refused_by, version};
use super::tokens::PASSWORD;

pub(super) fn vectors() -> Vec<Vector> {
    let mut all = respelled();
    all.extend(readable());
    all
}

/// A token whose base64 is padded with `==`.
fn padded_token(draft: &Draft) -> String {
    let tokens = (0..64).map(|length| {
        let json = password(&format!("\"canary-7d1e{}\"", "x".repeat(length)));
        draft.wrapped(&version("database.password"), &seal(&draft.key, &padded(&json)))
    });
    tokens
        .into_iter()
        .find(|token| token.ends_with("==]"))
        .expect("one of three lengths is padded so")
}

fn respelled() -> Vec<Vector> {
    let base = Draft::new();
    let token = padded_token(&base);
    let (key_id, version) = (base.key.id().to_string(), version("database.password").to_string());
    let before = token.len() - 4;
    let last = token.as_bytes()[before];
    // The low bits of the last digit before `==` carry nothing.
    let stray = format!("{}{}==]", &token[..before], char::from(last + 1));
    let lines = |first: &str, second: &str| base.text_with_password_lines(first, second);
    let middle = token.len() / 2;
    let upper_key = token.replace(&key_id, &key_id.to_uppercase());
    let upper_version = token.replace(&version, &version.to_uppercase());
    let cases = [
        (
            "token-base64-without-padding",
            "the base64 has no `=` at its end",
            token.replace("==]", "]"),
        ),
        (
            "token-base64-with-stray-bits",
            "the last digit of the base64 carries bits that mean nothing",
            stray,
        ),
        (
            "token-base64-of-urls",
            "the base64 has `-` and `_`",
            format!("{}-_{}", &token[..100], &token[102..]),
        ),
        (
            "token-base64-with-a-blank",
            "a blank stands in the base64",
            format!("{} {}", &token[..middle], &token[middle..]),
        ),
        (
            "token-base64-behind-its-end",
            "more base64 stands behind the padding",
            token.replace("==]", "==AA]"),
        ),
        (
            "token-without-base64",
            "the base64 is empty",
            format!("ENC[age,{key_id},{version},]"),
        ),
        (
            "token-key-id-in-capitals",
            "the key id is written in capitals",
            upper_key,
        ),
        (
            "token-version-in-capitals",
            "the version is written in capitals",
            upper_version,
        ),
        (
            "token-with-a-blank-before",
            "a blank stands before the token",
            format!(" {token}"),
        ),
        (
            "token-with-a-blank-behind",
            "a blank stands behind the token",
            format!("{token} "),
        ),
        (
            "token-with-text-behind",
            "text stands behind the token",
            format!("{token}x"),
        ),
        (
            "token-with-a-fifth-part",
            "the token has one part more",
            token.replace(']', ",x]"),
        ),
        (
            "token-without-version",
            "the token has no version",
            token.replace(&format!("{version},"), ""),
        ),
        (
            "token-without-its-end",
            "the closing bracket is missing",
            token.replace(']', ""),
        ),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, about, content)| {
            let text = base.text_with_password(&format!("\"{content}\""));
            refused(name, about, text, OPENS_PASSWORD, &[PASSWORD])
        })
        .collect();
    let opening = token.replace("ENC[", "enc[");
    all.push(refused(
        "token-opening-in-small-letters",
        "`enc[` opens no token, so the value stands readable",
        base.text_with_password(&format!("\"{opening}\"")),
        TOUCHES_PROD,
        &[PASSWORD],
    ));
    all.push(refused(
        "token-on-two-lines",
        "the token is broken into two lines of its literal block",
        lines(&token[..middle], &token[middle..]),
        OPENS_PASSWORD,
        &[PASSWORD],
    ));
    all.push(refused(
        "token-and-another-line",
        "a second line stands behind the token in its literal block",
        lines(&token, "canary-7d1e"),
        OPENS_PASSWORD,
        &[PASSWORD],
    ));
    let mut kept = base.text_with_password("|+\n    TOKEN\n\n").replace("TOKEN", &token);
    kept = kept.replace("\n\n\nhosts", "\n\nhosts");
    all.push(refused(
        "token-with-a-line-end",
        "a keeping block scalar leaves a line end behind the token",
        kept,
        OPENS_PASSWORD,
        &[PASSWORD],
    ));
    let mut zero = Draft::new();
    let (inside, outside) = (self::version("database.password").to_string(), "v0badc0de");
    zero.put(
        "database.password",
        base.token("database.password").replace(&inside, outside),
    );
    all.push(refused(
        "token-version-altered",
        "the version outside is not the one inside",
        zero.text(),
        OPENS_PASSWORD,
        &[PASSWORD, &inside, outside],
    ));
    all
}

impl Draft {
    /// The file with another text where `|-` and the token of the password stand.
    pub(super) fn text_with_password(&self, text: &str) -> String {
        let written = format!("|-\n    {}", self.token("database.password"));
        let sealed = self.text();
        assert!(sealed.contains(&written), "the token has its line");
        sealed.replace(&written, text)
    }

    fn text_with_password_lines(&self, first: &str, second: &str) -> String {
        self.text_with_password(&format!("|-\n    {first}\n    {second}"))
    }
}

fn readable() -> Vec<Vector> {
    let base = Draft::new();
    let cases = [
        (
            "readable-plain",
            "a plain scalar stands where a token belongs",
            " canary-7d1e",
        ),
        (
            "readable-quoted",
            "a quoted scalar stands where a token belongs",
            " \"canary-7d1e\"",
        ),
        (
            "readable-block",
            "a block scalar stands where a token belongs",
            " |\n    canary-7d1e",
        ),
        (
            "readable-binary",
            "bytes stand where a token belongs",
            " !!binary \"Y2FuYXJ5LTdkMWU=\"",
        ),
        ("readable-null", "`null` stands where a token belongs", " null"),
        ("readable-tilde", "`~` stands where a token belongs", " ~"),
        ("readable-empty", "nothing stands where a token belongs", ""),
        (
            "readable-empty-string",
            "an empty string stands where a token belongs",
            " \"\"",
        ),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, about, text)| {
            let whole = base.text_with_password("@").replace(" @", text);
            refused(name, about, whole, TOUCHES_PROD, &[PASSWORD])
        })
        .collect();
    for (name, about, text) in [
        (
            "collection-mapping",
            "a mapping stands where the policy declares a value",
            "{}",
        ),
        (
            "collection-list",
            "a list stands where the policy declares a value",
            "[]",
        ),
        (
            "collection-of-tokens",
            "a list of tokens stands where the policy declares a value",
            "\n    - |-\n      TOKEN",
        ),
    ] {
        let mut other = Draft::with_body("database:\n  password:\n    - canary-7d1e\n");
        other.seal_body();
        let text = text.replace("TOKEN", &other.token("database.password.0"));
        let whole = base.text_with_password(&text).replace("password: \n", "password:\n");
        let policy = policy_with("", "secrets:\n  database.password:\n    required: [prod]\n");
        all.push(refused_by(name, about, 5, &policy, whole, TOUCHES_PROD, &[PASSWORD]));
    }
    let declared = policy_with("", "secrets:\n  log.level:\n    required: [prod]\n");
    all.push(refused_by(
        "readable-although-declared",
        "`plaintext` matches a path that is declared under `secrets`",
        5,
        &declared,
        base.text(),
        TOUCHES_PROD,
        &["prod:log.level"],
    ));
    let added = format!("{}extra: canary-7d1e\n", base.sealed_body());
    all.push(refused(
        "readable-added",
        "a readable value was added",
        base.text_over(&added),
        TOUCHES_PROD,
        &["prod:extra"],
    ));
    let item = base.sealed_body().replace("port:", "  - canary-7d1e\nport:");
    all.push(refused(
        "readable-item",
        "a readable list item was added",
        base.text_over(&item),
        TOUCHES_PROD,
        &["prod:hosts.2"],
    ));
    let flow = format!("{}extra: {{a: [canary-7d1e]}}\n", base.sealed_body());
    all.push(refused(
        "readable-in-flow",
        "a readable value was added in a flow collection",
        base.text_over(&flow),
        TOUCHES_PROD,
        &["prod:extra.a.0"],
    ));
    all
}
