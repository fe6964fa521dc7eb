//! The footer of an environment file: which key its tokens are sealed under, who was granted it, which keys it
//! follows. Read strictly, written in one canonical form (FORMAT, Text 6); opens nothing.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use crate::crypto::envelope::from_base64;
use crate::crypto::grant::{LARGEST_GRANT, check_grant};
use crate::crypto::key::DropBox;
use crate::crypto::label::GrantLabel;
use crate::crypto::proposal::ProposalLabel;
use crate::document::FOOTER_KEY;
use crate::document::path::ValuePath;
use crate::document::render::quoted_public;
use crate::document::token::Token;
use crate::document::tree::{Entry, Mapping, Node, Rules, Scalar, Tree};
use crate::names::{EnvironmentName, KeyId, RecipientName, Version};
use crate::value::LineEnd;
use crate::when;

/// The most grants that a footer may hold.
const MOST_GRANTS: usize = 10_000;
/// The largest proposal in bytes: a value of 16 MiB and what surrounds it.
pub(super) const LARGEST_PROPOSAL: usize = (16 << 20) + (64 << 10);

/// The old value of a path whose rotation is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Where the value stood.
    pub path: ValuePath,
    /// The last day of its grace, YYYY-MM-DD. A hint that nobody vouches for.
    pub until: String,
    /// The token, of type `previous`.
    pub token: String,
}

/// The grants of one recipient: an age file in base64 for each public key.
pub type Grants = BTreeMap<GrantLabel, String>;

/// What a footer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The environment it claims to belong to.
    pub environment: EnvironmentName,
    /// The drop box of its key, which stands for the key; `key` in the file is its id.
    pub drop_box: DropBox,
    /// Whether the text ends with a line end.
    pub final_newline: bool,
    /// For each key that it follows, the token by which that key vouches for this one.
    pub follows: BTreeMap<KeyId, String>,
    /// For each recipient, the grants of the key.
    pub grants: BTreeMap<RecipientName, Grants>,
    /// Proposals, each an age file in base64.
    pub proposals: BTreeMap<ProposalLabel, String>,
    /// Old values in their grace, by version.
    pub previous: BTreeMap<Version, Previous>,
}

/// What is wrong with a footer: the byte it concerns and the end of an error line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the file.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// Whether a newer version of the program may have written it.
    pub newer: bool,
}

type Checked<T> = Result<T, Fault>;

fn fault<T>(offset: usize, message: impl Into<String>) -> Checked<T> {
    Err(Fault {
        offset,
        message: message.into(),
        newer: false,
    })
}

impl Footer {
    /// A footer without grants for a new key.
    pub fn new(environment: EnvironmentName, drop_box: DropBox) -> Self {
        Self {
            environment,
            drop_box,
            final_newline: true,
            follows: BTreeMap::new(),
            grants: BTreeMap::new(),
            proposals: BTreeMap::new(),
            previous: BTreeMap::new(),
        }
    }

    /// Reads the footer from its root entry.
    pub fn read(entry: &Entry<'_>) -> Checked<Self> {
        let at = entry.key.span.start;
        let fields = mapping(&entry.value, "the footer")?;
        refuse_newer(fields)?;
        let text = |name: &str| match fields.get(name) {
            Some(entry) => scalar(&entry.value, name),
            None => fault(at, format!("the footer has no `{name}`")),
        };
        let environment = text("environment")?;
        let Some(environment) = EnvironmentName::new(&environment.content) else {
            return fault(environment.head.start, "`environment` in the footer is no name");
        };
        let drop_box = text("drop_box")?;
        let Some(drop_box) = DropBox::parse(&drop_box.content) else {
            return fault(drop_box.head.start, "`drop_box` in the footer is malformed");
        };
        let key = text("key")?;
        if *key.content != *drop_box.id().as_str() {
            return fault(key.head.start, "`key` in the footer is not the id of its drop box");
        }
        let final_newline = match fields
            .get("final_newline")
            .map(|entry| scalar(&entry.value, "final_newline"))
        {
            None => true,
            Some(text) if &*text.as_ref().map_err(Clone::clone)?.content == "false" => false,
            Some(text) => return fault(text?.head.start, "`final_newline` in the footer can only be `false`"),
        };
        Ok(Self {
            environment,
            final_newline,
            follows: read_follows(fields, &drop_box)?,
            grants: read_grants(fields)?,
            proposals: read_proposals(fields)?,
            previous: read_previous(fields)?,
            drop_box,
        })
    }

    /// Every grant with the recipient that it stands under.
    pub fn all_grants(&self) -> impl Iterator<Item = (&RecipientName, &GrantLabel, &str)> {
        self.grants
            .iter()
            .flat_map(|(name, grants)| grants.iter().map(move |(label, file)| (name, label, file.as_str())))
    }

    /// The footer's text in its one form, without the blank line before it.
    pub fn write(&self, line_end: LineEnd) -> String {
        let mut out = String::with_capacity(512 + self.all_grants().count() * 1100);
        out.push_str(FOOTER_KEY);
        out.push_str(":\n");
        line(
            &mut out,
            2,
            &format!(
                "format: 1\n  environment: {}\n  key: {}",
                self.environment,
                self.drop_box.id()
            ),
        );
        line(&mut out, 2, &format!("drop_box: {}", self.drop_box.as_str()));
        if !self.final_newline {
            line(&mut out, 2, "final_newline: false");
        }
        if !self.follows.is_empty() {
            line(&mut out, 2, "follows:");
        }
        for (key, token) in &self.follows {
            block(&mut out, 4, key.as_str(), token);
        }
        line(
            &mut out,
            2,
            if self.grants.is_empty() {
                "grants: {}"
            } else {
                "grants:"
            },
        );
        for (name, grants) in &self.grants {
            line(&mut out, 4, &format!("{name}:"));
            for (label, file) in grants {
                block(&mut out, 6, label.as_str(), file);
            }
        }
        if !self.proposals.is_empty() {
            line(&mut out, 2, "proposals:");
        }
        for (label, file) in &self.proposals {
            block(&mut out, 4, label.as_str(), file);
        }
        if !self.previous.is_empty() {
            line(&mut out, 2, "previous:");
        }
        for (version, previous) in &self.previous {
            line(&mut out, 4, &format!("{version}:"));
            line(
                &mut out,
                6,
                &format!("path: {}", quoted_public(&previous.path.to_json())),
            );
            line(&mut out, 6, &format!("until: \"{}\"", previous.until));
            block(&mut out, 6, "token", &previous.token);
        }
        if line_end == LineEnd::Crlf {
            out.replace('\n', "\r\n")
        } else {
            out
        }
    }
}

fn line(out: &mut String, indentation: usize, text: &str) {
    writeln!(out, "{:indentation$}{text}", "").expect("writing to a string cannot fail");
}

fn block(out: &mut String, indentation: usize, key: &str, text: &str) {
    line(out, indentation, &format!("{key}: |-"));
    line(out, indentation + 2, text);
}

fn mapping<'t, 'a>(node: &'t Node<'a>, name: &str) -> Checked<&'t Mapping<'a>> {
    match node {
        Node::Mapping(mapping) => Ok(mapping),
        other => fault(other.span().start, format!("{name} is no mapping")),
    }
}

fn scalar<'t, 'a>(node: &'t Node<'a>, name: &str) -> Checked<&'t Scalar<'a>> {
    match node {
        Node::Scalar(scalar) if !scalar.binary => Ok(scalar),
        other => fault(other.span().start, format!("`{name}` in the footer is no text")),
    }
}

/// The entries of an optional field that is a mapping.
fn entries<'t, 'a>(fields: &'t Mapping<'a>, name: &str) -> Checked<&'t [Entry<'a>]> {
    match fields.get(name) {
        Some(entry) => Ok(&mapping(&entry.value, &format!("`{name}` in the footer"))?.entries),
        None => Ok(&[]),
    }
}

fn refuse_newer(fields: &Mapping<'_>) -> Checked<()> {
    const KNOWN: [&str; 9] = [
        "format",
        "environment",
        "key",
        "drop_box",
        "final_newline",
        "follows",
        "grants",
        "proposals",
        "previous",
    ];
    let newer = |offset, message: String| {
        Err(Fault {
            offset,
            message,
            newer: true,
        })
    };
    match fields.get("format") {
        Some(entry) if &*scalar(&entry.value, "format")?.content == "1" => {}
        Some(entry) => return newer(entry.key.span.start, "the footer has an unknown format".to_owned()),
        None => return fault(fields.span.start, "the footer has no `format`"),
    }
    match fields.entries.iter().find(|entry| !KNOWN.contains(&&*entry.key.name)) {
        Some(entry) => newer(
            entry.key.span.start,
            "the footer has a field that is not known here".to_owned(),
        ),
        None => Ok(()),
    }
}

fn read_follows(fields: &Mapping<'_>, drop_box: &DropBox) -> Checked<BTreeMap<KeyId, String>> {
    let mut follows = BTreeMap::new();
    for entry in entries(fields, "follows")? {
        let at = entry.key.span.start;
        let Some(key) = KeyId::new(&entry.key.name) else {
            return fault(at, "a name under `follows` is no key id");
        };
        let text = &scalar(&entry.value, "follows")?.content;
        match Token::parse(text) {
            Some(token) if token.key == key && token.version == Version::follows() && key != drop_box.id() => {}
            _ => return fault(at, format!("the token of `{key}` under `follows` is malformed")),
        }
        follows.insert(key, text.to_string());
    }
    Ok(follows)
}

fn read_grants(fields: &Mapping<'_>) -> Checked<BTreeMap<RecipientName, Grants>> {
    let mut grants = BTreeMap::new();
    let mut labels = HashSet::new();
    for entry in entries(fields, "grants")? {
        let Some(name) = RecipientName::new(&entry.key.name) else {
            return fault(entry.key.span.start, "a name under `grants` is no name");
        };
        let mut own = Grants::new();
        for grant in &mapping(&entry.value, "an entry under `grants`")?.entries {
            let at = grant.key.span.start;
            let Some(label) = GrantLabel::parse(&grant.key.name) else {
                return fault(at, format!("a label under `{name}` is no label of a grant"));
            };
            if !labels.insert(label.clone()) {
                return fault(at, format!("the public key of `{label}` is granted twice"));
            }
            if labels.len() > MOST_GRANTS {
                return fault(at, format!("there are more than {MOST_GRANTS} grants"));
            }
            let file = &scalar(&grant.value, "grants")?.content;
            let checked = from_base64(file, LARGEST_GRANT).and_then(|bytes| check_grant(&bytes, &label));
            if let Err(reason) = checked {
                return fault(at, format!("the grant `{label}` of `{name}` is refused: {reason}"));
            }
            own.insert(label, file.to_string());
        }
        grants.insert(name, own);
    }
    Ok(grants)
}

fn read_proposals(fields: &Mapping<'_>) -> Checked<BTreeMap<ProposalLabel, String>> {
    let mut proposals = BTreeMap::new();
    for entry in entries(fields, "proposals")? {
        let at = entry.key.span.start;
        let file = &scalar(&entry.value, "proposals")?.content;
        let bytes = match from_base64(file, LARGEST_PROPOSAL) {
            Ok(bytes) => bytes,
            Err(reason) => return fault(at, format!("a proposal is refused: {reason}")),
        };
        match ProposalLabel::parse(&entry.key.name) {
            Some(label) if label == ProposalLabel::of(&bytes) => proposals.insert(label, file.to_string()),
            _ => return fault(at, "a label under `proposals` is not that of its proposal"),
        };
    }
    Ok(proposals)
}

fn read_previous(fields: &Mapping<'_>) -> Checked<BTreeMap<Version, Previous>> {
    let mut previous = BTreeMap::new();
    for entry in entries(fields, "previous")? {
        let at = entry.key.span.start;
        let Some(version) = Version::new(&entry.key.name) else {
            return fault(at, "a name under `previous` is no version");
        };
        let parts = mapping(&entry.value, "an entry under `previous`")?;
        let text = |name: &str| match parts.get(name) {
            Some(part) => Ok(scalar(&part.value, name)?.content.to_string()),
            None => fault(at, format!("`{version}` under `previous` has no `{name}`")),
        };
        let Some(path) = ValuePath::from_json(&text("path")?) else {
            return fault(at, format!("the path of `{version}` under `previous` is malformed"));
        };
        let (until, token) = (text("until")?, text("token")?);
        let fits = Token::parse(&token).is_some_and(|token| token.version == version);
        if !fits || when::parse_date(&until).is_none() || parts.entries.len() != 3 {
            return fault(at, format!("`{version}` under `previous` is malformed"));
        }
        previous.insert(version, Previous { path, until, token });
    }
    Ok(previous)
}

/// The footer of an environment file's text, read without the text above it; nothing if there is none that is well-formed.
/// A line that begins with the footer's key at column 1 is that key: no scalar of a mapping reaches column 1.
pub fn footer_of(text: &str) -> Option<Footer> {
    let start = text
        .rmatch_indices(FOOTER_KEY)
        .map(|(offset, _)| offset)
        .find(|offset| *offset == 0 || text.as_bytes()[offset - 1] == b'\n');
    // A formatter may have quoted the key: then the whole text is parsed.
    start
        .and_then(|start| footer_in(&text[start..]))
        .or_else(|| footer_in(text))
}

fn footer_in(text: &str) -> Option<Footer> {
    let tree = Tree::parse(text, Rules::File).ok()?;
    Footer::read(&tree.footer.as_ref()?.entry).ok()
}
