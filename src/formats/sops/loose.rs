//! YAML as people write it in `.sops.yaml`: with anchors, aliases and merge keys, and with names of keys as anchors or
//! comments beside them. Only for reading what another tool is told; policies and environments go through `document`.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use crate::document::lines::{Lines, Place, Refusal};

/// How deep collections may be nested; sops knows files of half a dozen levels.
const DEEPEST_NESTING: usize = 32;
/// How many mappings may be merged into each other by `<<`.
const DEEPEST_MERGE: usize = 8;
/// A comment that is longer is no name.
const LONGEST_NAME: usize = 64;

/// A node, and how people call it.
#[derive(Debug)]
pub(super) struct Node {
    /// Its anchor; for scalars without one the comment behind it.
    pub(super) name: Option<String>,
    /// The comment on the line above it, which may be about several nodes.
    pub(super) above: Option<String>,
    /// Where it begins.
    pub(super) place: Place,
    /// What it is.
    pub(super) content: Content,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Content {
    /// Text; nothing for an empty or `null` scalar.
    Scalar(Option<String>),
    /// A list.
    List(Vec<Rc<Node>>),
    /// A mapping, in the order of the text.
    Mapping(Vec<(String, Rc<Node>)>),
}

impl Node {
    /// The value of `key`, also of a mapping that is merged in.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.get_within(key, DEEPEST_MERGE)
    }

    fn get_within(&self, key: &str, depth: usize) -> Option<&Self> {
        let Content::Mapping(members) = &self.content else {
            return None;
        };
        let own = members.iter().find(|(name, _)| name == key);
        if let Some((_, node)) = own {
            return Some(node);
        }
        let depth = depth.checked_sub(1)?;
        let (_, merged) = members.iter().find(|(name, _)| name == "<<")?;
        match &merged.content {
            Content::List(items) => items.iter().find_map(|item| item.get_within(key, depth)),
            _ => merged.get_within(key, depth),
        }
    }

    /// The text of a scalar that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(text) => text.as_deref().filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// The items of a list; a single node where something else stands, none where nothing does.
    pub(super) fn items(&self) -> &[Rc<Self>] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }
}

/// A document, and how its scalars are called wherever they stand.
#[derive(Debug)]
pub(super) struct Document {
    /// The root; nothing in an empty document.
    pub(super) root: Option<Rc<Node>>,
    /// The first name of each text that has one.
    pub(super) names: HashMap<String, String>,
}

/// Reads one document.
///
/// # Errors
/// What is no YAML, or nested too deeply. Aliases cost nothing: what they name is shared, not copied.
pub(super) fn parse(text: &str) -> Result<Document, Refusal> {
    let mut options = granit_parser::options! {
        emit_anchor_events: true,
        flow_nesting_limit: DEEPEST_NESTING,
        block_nesting_limit: DEEPEST_NESTING,
    };
    options.set_emit_comments(false);
    let mut reader = Reader {
        text,
        lines: Lines::new(text),
        parser: Parser::new_from_str_with_options(text, options),
        anchored: HashMap::new(),
        names: HashMap::new(),
        ahead: None,
    };
    let root = loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::StreamEnd | Event::DocumentEnd => break None,
            event => break Some(reader.node(event, &span)?),
        }
    };
    let names = reader.names;
    Ok(Document { root, names })
}

struct Reader<'a> {
    text: &'a str,
    lines: Lines<'a>,
    parser: Parser<'a, StrInput<'a>>,
    anchored: HashMap<usize, Rc<Node>>,
    names: HashMap<String, String>,
    /// An event that was looked at to see whether it is an anchor.
    ahead: Option<(Event<'a>, Span)>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Refusal> {
        if let Some(event) = self.ahead.take() {
            return Ok(event);
        }
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let offset = error.marker().byte_offset().unwrap_or(0);
                Err(Refusal::new(self.lines.place(offset), "this is no YAML"))
            }
            None => Err(self.ends_early()),
        }
    }

    fn ends_early(&self) -> Refusal {
        Refusal::new(self.lines.place(self.text.len()), "the text ends too early")
    }

    /// The anchor of the node whose event was just taken, if it has one.
    fn anchor(&mut self, has_one: bool) -> Result<Option<(usize, String)>, Refusal> {
        if !has_one {
            return Ok(None);
        }
        match self.next()? {
            (Event::Anchor(id, name), _) => Ok(Some((id, name.into_owned()))),
            other => {
                self.ahead = Some(other);
                Ok(None)
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span) -> Result<Rc<Node>, Refusal> {
        let offset = span.start.byte_offset().unwrap_or(0);
        let place = self.lines.place(offset);
        if let Event::Alias(id) = event {
            let node = self.anchored.get(&id).cloned();
            return node.ok_or_else(|| Refusal::new(place, "an alias inside of what it names"));
        }
        let has_anchor = matches!(
            &event,
            Event::Scalar(_, _, 1.., _) | Event::SequenceStart(_, 1.., _) | Event::MappingStart(_, 1.., _)
        );
        let anchor = self.anchor(has_anchor)?;
        let (content, comment) = match event {
            Event::Scalar(text, style, ..) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let text = (!is_null).then(|| text.into_owned());
                let end = span.end.byte_offset().unwrap_or(offset);
                (Content::Scalar(text), self.comment_behind(end))
            }
            Event::SequenceStart(..) => (Content::List(self.list()?), None),
            Event::MappingStart(..) => (Content::Mapping(self.mapping()?), None),
            _ => return Err(self.ends_early()),
        };
        let (id, anchor) = anchor.unzip();
        let node = Rc::new(Node {
            name: anchor.or(comment),
            above: self.comment_above(offset),
            place,
            content,
        });
        if let (Content::Scalar(Some(text)), Some(name)) = (&node.content, &node.name) {
            self.names.entry(text.clone()).or_insert_with(|| name.clone());
        }
        if let Some(id) = id {
            self.anchored.insert(id, Rc::clone(&node));
        }
        Ok(node)
    }

    fn list(&mut self) -> Result<Vec<Rc<Node>>, Refusal> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Vec<(String, Rc<Node>)>, Refusal> {
        let mut members = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(members);
            }
            let key = self.node(event, &span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span)?;
            if let Content::Scalar(Some(name)) = &key.content {
                members.push((name.clone(), value));
            }
        }
    }

    /// The comment that ends the line on which a scalar ends.
    fn comment_behind(&self, end: usize) -> Option<String> {
        let rest = self.text.get(end..self.lines.end_of(end))?;
        let rest = rest.trim_start_matches([',', ']', '"', '\'']);
        let comment = rest.trim_start().strip_prefix('#')?;
        rest.starts_with([' ', '\t']).then(|| name_of(comment))?
    }

    /// The comment that is the line above.
    fn comment_above(&self, offset: usize) -> Option<String> {
        let line = self.lines.line_of(offset).checked_sub(1)?;
        let comment = self.text[self.lines.content(line)].trim().strip_prefix('#')?;
        name_of(comment)
    }
}

/// A comment as a name, if it is short enough for one.
fn name_of(comment: &str) -> Option<String> {
    let name = comment.trim_start_matches('#').trim();
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control);
    fits.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Node, parse};

    fn read(text: &str) -> std::rc::Rc<Node> {
        parse(text).expect("accepted").root.expect("something")
    }

    #[test]
    fn names_are_anchors_or_comments() {
        let root = read(
            "keys:\n  - &alice age1a # not this\n  - age1b # bob\n  # carol\n  - age1c\n  - age1#d\nall: [*alice]\n",
        );
        let names = |key: &str| -> Vec<(Option<String>, Option<String>)> {
            let items = root.get(key).expect("there").items();
            items
                .iter()
                .map(|item| (item.name.clone(), item.above.clone()))
                .collect()
        };
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            (some("alice"), None),
            (some("bob"), None),
            (None, some("carol")),
            (None, None),
        ];
        assert_eq!(names("keys"), expected);
        assert_eq!(names("all"), expected[..1]);
    }

    #[test]
    fn merge_keys_give_what_is_not_there() {
        let root = read("base: &base {a: 1, b: 2}\nx:\n  <<: *base\n  b: 3\ny: {<<: [*base]}\n");
        let text = |at: &str, key: &str| {
            root.get(at)
                .expect("there")
                .get(key)
                .and_then(|node| node.text().map(String::from))
        };
        assert_eq!(text("x", "a").as_deref(), Some("1"));
        assert_eq!(text("x", "b").as_deref(), Some("3"));
        assert_eq!(text("y", "b").as_deref(), Some("2"));
    }

    #[test]
    fn bombs_and_broken_texts_are_harmless() {
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for level in 1..200 {
            bomb.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1));
        }
        assert!(parse(&bomb).is_ok());
        for text in [
            "a: *b\n",
            "a: &a [*a]\n",
            "a: [\n",
            &"[".repeat(100_000),
            "a: &a {<<: *a}\n",
        ] {
            assert!(parse(text).is_err());
        }
        assert!(parse("# nothing\n").expect("accepted").root.is_none());
    }
}
