//! Documents of every kind, read by the library. Those in `accepted/` come back byte for byte, those in `refused/` are
//! refused at the place and with the word that `refused/expected.txt` names, and whatever is made by mixing them does
//! one of the two. Whole commands over the same documents are the business of `tests/cli`.

mod round_trip;

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_oneof, proptest};
use secretree::document::tree::{Rules, Tree};

/// Every document of a folder by its name without `.yaml`.
fn documents(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents")
        .join(folder);
    let mut documents = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the folder is a part of the repository") {
        let path = entry.expect("the folder can be listed").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .expect("names are plain")
                .to_owned();
            documents.insert(name, std::fs::read(&path).expect("the file can be read"));
        }
    }
    documents
}

/// The accepted documents as text.
fn accepted() -> BTreeMap<String, String> {
    let text = |(name, bytes)| (name, String::from_utf8(bytes).expect("accepted documents are UTF-8"));
    documents("accepted").into_iter().map(text).collect()
}

#[test]
fn accepted_documents_come_back_byte_for_byte() {
    let documents = accepted();
    assert!(documents.len() >= 300, "only {} documents were found", documents.len());
    let mut failures = Vec::new();
    for (name, text) in &documents {
        match std::panic::catch_unwind(|| round_trip::check(text)) {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => failures.push(format!("{name}: refused at {refusal}")),
            Err(_) => failures.push(format!("{name}: see the panic above")),
        }
    }
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn refused_documents_are_refused_at_their_place_for_their_reason() {
    let documents = documents("refused");
    assert!(documents.len() >= 140, "only {} documents were found", documents.len());
    let mut expected: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for line in include_str!("refused/expected.txt").lines() {
        let mut fields = line.splitn(3, ": ");
        let mut field = || fields.next().expect("each line is `name: line:column: word`");
        expected.insert(field(), (field(), field()));
    }
    let listed: Vec<_> = expected.keys().copied().collect();
    assert_eq!(
        listed,
        documents.keys().map(String::as_str).collect::<Vec<_>>(),
        "files and expected.txt differ"
    );

    let mut failures = Vec::new();
    for (name, bytes) in &documents {
        let (place, word) = expected[name.as_str()];
        let Ok(text) = std::str::from_utf8(bytes) else {
            assert_eq!(word, "UTF-8", "{name} is expected to be UTF-8");
            continue;
        };
        let Err(refusal) = Tree::parse(text, Rules::Text) else {
            failures.push(format!("{name}: accepted"));
            continue;
        };
        let found = format!("{}:{}", refusal.place.line, refusal.place.column);
        if place != "-" && place != found {
            failures.push(format!("{name}: at {found}, not {place}: {}", refusal.message));
        }
        if word != "-" && !refusal.message.contains(word) {
            failures.push(format!("{name}: {:?} does not say {word:?}", refusal.message));
        }
        if refusal.hint.is_none() && !name.starts_with("syntax-") {
            failures.push(format!("{name}: no way out: {}", refusal.message));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// One change of a text, line by line; positions are taken modulo what there is.
#[derive(Clone, Debug)]
enum Mutation {
    /// Takes lines out.
    Remove(usize, usize),
    /// Puts lines of another document in.
    Graft(usize, usize, usize, usize),
    /// Indents a line by so many blanks more or less.
    Indent(usize, i8),
    /// Puts a fragment into a line.
    Insert(usize, usize, &'static str),
    /// Takes the rest of the text away.
    Cut(usize),
    /// Makes every line end a CRLF, or none.
    LineEnds(bool),
}

/// What is put into lines: all that means something to a parser of YAML.
const FRAGMENTS: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "#",
    " # c",
    "\n  # deep\n",
    ":",
    ": ",
    "- ",
    "-",
    "? ",
    "|",
    ">",
    "|-\n",
    ">+\n",
    "|2",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    ",",
    ", ",
    "&x ",
    "*x",
    "!!binary ",
    "!",
    "%",
    "@",
    "\\",
    "\\\n",
    "~",
    "null",
    "é",
    "鍵",
    "\u{a0}",
    "---\n",
    "...\n",
    "<<: ",
    "k: ",
    "k:",
    "k: v\n",
    "secretree: ",
    "\u{feff}",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<usize>;
    prop_oneof![
        (at(), 1..4usize).prop_map(|(line, count)| Mutation::Remove(line, count)),
        (at(), at(), at(), 1..8usize).prop_map(|(line, other, from, count)| Mutation::Graft(line, other, from, count)),
        (at(), -4..5i8).prop_map(|(line, columns)| Mutation::Indent(line, columns)),
        (at(), at(), prop::sample::select(FRAGMENTS))
            .prop_map(|(line, column, fragment)| Mutation::Insert(line, column, fragment)),
        at().prop_map(Mutation::Cut),
        any::<bool>().prop_map(Mutation::LineEnds),
        Just(Mutation::Insert(usize::MAX, usize::MAX, "\n")),
    ]
}

/// `text` after one change.
fn mutated(text: &str, mutation: &Mutation, others: &[String]) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(String::from).collect();
    let count = lines.len();
    if count == 0 {
        return others[0].clone();
    }
    match *mutation {
        Mutation::Remove(line, length) => {
            let start = line % count;
            lines.drain(start..(start + length).min(count));
        }
        Mutation::Graft(line, other, from, length) => {
            let other: Vec<_> = others[other % others.len()]
                .split_inclusive('\n')
                .map(String::from)
                .collect();
            let from = from % (other.len() + 1);
            let graft = other[from..(from + length).min(other.len())].to_vec();
            let line = line % (count + 1);
            lines.splice(line..line, graft);
        }
        Mutation::Indent(line, columns) => {
            let line = &mut lines[line % count];
            let blanks = line.len() - line.trim_start_matches(' ').len();
            *line = " ".repeat(blanks.saturating_add_signed(columns.into())) + line.trim_start_matches(' ');
        }
        Mutation::Insert(line, column, fragment) => {
            let line = &mut lines[line % count];
            let places: Vec<_> = line.char_indices().map(|(place, _)| place).collect();
            line.insert_str(places[column % places.len()], fragment);
        }
        Mutation::Cut(line) => {
            let last = line % count;
            lines.truncate(last + 1);
            let shorter = lines[last].trim_end_matches(['\r', '\n']).to_owned();
            lines[last] = shorter;
        }
        Mutation::LineEnds(crlf) => {
            for line in &mut lines {
                let bare = line.replace("\r\n", "\n");
                *line = if crlf { bare.replace('\n', "\r\n") } else { bare };
            }
        }
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4 * ProptestConfig::default().cases, ..ProptestConfig::default() })]

    /// Whatever comes of mixing documents is refused without a panic, or comes back byte for byte.
    #[test]
    fn mixed_documents_come_back_or_are_refused(
        document in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(mutation(), 1..5),
    ) {
        // Long lines and deep nesting have tests of their own; here they would only take time.
        let corpus: Vec<String> = accepted().into_values().filter(|text| text.len() < 2000).collect();
        let mut text = document.get(&corpus).clone();
        for mutation in &mutations {
            text = mutated(&text, mutation, &corpus);
        }
        if let Err(refusal) = round_trip::check(&text) {
            prop_assert!(refusal.place.line >= 1 && refusal.place.column >= 1);
        }
    }
}
