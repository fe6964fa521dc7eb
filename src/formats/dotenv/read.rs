//! A dotenv file as the text of an environment: names are root keys, every value is a string, order and comments stay.
//! How lines are read is `scan`'s.

use std::collections::{HashMap, HashSet};

use super::scan::{Assignment, Doubt, Doubts, Line, normalized, scan};
use crate::error::Result;
use crate::formats::Imported;
use crate::formats::text::YamlText;

/// The most names that one note lists.
const MOST_NAMED: usize = 8;

/// Reads `NAME=value` lines.
///
/// # Errors
/// `Failed` with the line that cannot be read; the message begins with it and names no file.
pub fn read(bytes: &[u8]) -> Result<Imported> {
    let text = normalized(bytes)?;
    let (lines, doubts) = scan(&text)?;
    written(&lines, doubts)
}

/// The text of these lines, and a note for each doubt.
pub(in crate::formats) fn written(lines: &[Line<'_>], mut doubts: Doubts) -> Result<Imported> {
    let mut last = HashMap::new();
    for (position, line) in lines.iter().enumerate() {
        if let Line::Assignment(Assignment { name, .. }) = line
            && last.insert(*name, position).is_some()
        {
            note(&mut doubts, Doubt::Twice, name);
        }
    }
    let mut yaml = YamlText::default();
    for (position, line) in lines.iter().enumerate() {
        match line {
            Line::Blank => yaml.push_blank(),
            Line::Comment(comment) => match assigned_in(comment) {
                Some(name) => note(&mut doubts, Doubt::Commented, name),
                None => yaml.push_comment(comment),
            },
            Line::Assignment(assignment) if last[assignment.name] == position => {
                yaml.push_entry(assignment.name, &assignment.value, assignment.comment)?;
            }
            Line::Assignment(_) => {}
        }
    }
    Ok(Imported {
        text: yaml.into_text(),
        notes: doubts
            .into_iter()
            .map(|(doubt, names)| sentence(doubt, &names))
            .collect(),
    })
}

fn note(doubts: &mut Doubts, doubt: Doubt, name: &str) {
    doubts.entry(doubt).or_default().push(name.to_owned());
}

/// The name of an assignment that stands commented out, with a value that would stay readable as a comment.
fn assigned_in(comment: &str) -> Option<&str> {
    let text = comment.trim_start_matches(['#', ' ', '\t']);
    let text = text.strip_prefix("export ").unwrap_or(text);
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    (is_name && !value.trim().is_empty()).then_some(name)
}

fn sentence(doubt: Doubt, names: &[String]) -> String {
    let mut seen = HashSet::new();
    let names: Vec<_> = names.iter().filter(|name| seen.insert(*name)).collect();
    let shown: Vec<_> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}: {}", shown.join(", "), doubt.said())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::read;
    use crate::document::tree::{Rules, Tree};
    use crate::formats::dotenv::write;
    use crate::formats::readers::variables_of;
    use crate::value::Value;

    /// The values that are read, by name, and the notes.
    fn values(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let imported = read(text.as_bytes()).unwrap();
        let tree = Tree::parse(&imported.text, Rules::Text).unwrap();
        let value = |value: Value| match value {
            Value::Text(text) => text.expose_text().unwrap().to_owned(),
            _ => panic!("every value is a string"),
        };
        let scalars = tree.scalars().into_iter();
        let values = scalars.map(|(path, scalar)| (path.to_string(), value(scalar.value())));
        (values.collect(), imported.notes)
    }

    #[test]
    fn each_form_of_a_value_is_read_and_noted_where_readers_differ() {
        for (text, value, noted) in [
            ("A=b", "b", ""),
            ("A =  b c  ", "b c", ""),
            ("export A=b", "b", ""),
            ("A=", "", ""),
            ("A= # c", "", ""),
            ("A=b # c", "b", ""),
            ("A=b#c", "b#c", "`#` without a blank"),
            ("A=#c", "#c", "`#` without a blank"),
            ("A=007", "007", ""),
            ("A=a\\b", "a\\b", "quotes or backslashes"),
            ("A='b #c' # d", "b #c", ""),
            ("A='a\nb\n'", "a\nb\n", ""),
            ("A='a\\\\b'", "a\\\\b", "single quotes"),
            ("A='it\\'s'", "it's", "single quotes"),
            ("A='C:\\'", "C:\\", "single quotes"),
            ("A=\"a\\nb\\\"\"", "a\nb\"", ""),
            ("A=\"a\\\\n\"", "a\\n", "double quotes"),
            ("A=\"\\$B \\d\"", "$B \\d", "double quotes"),
            ("A=\"$B\"", "$B", "nothing is expanded"),
            ("A=${B}", "${B}", "nothing is expanded"),
            ("A=$5", "$5", ""),
            ("A='$B'", "$B", ""),
            ("A=`a \"b\" 'c'`", "a \"b\" 'c'", "backticks"),
            ("A: b", "b", "only npm"),
            ("\u{feff}A=b\r\n", "b", ""),
            ("A=\"a\r\nb\"", "a\nb", ""),
        ] {
            let (read, notes) = values(text);
            assert_eq!(read, [("A".to_owned(), value.to_owned())], "{text:?}");
            assert_eq!(notes.len(), usize::from(!noted.is_empty()), "{text:?}: {notes:?}");
            assert!(notes.iter().all(|note| note.contains(noted)), "{text:?}: {notes:?}");
        }
    }

    #[test]
    fn order_comments_and_blank_lines_stay() {
        let imported = read(
            b"# head\n\nB=2 # two\nA='l1\nl2' # lines\nB=3\n#OLD=canary\n#  export OLDER = x\n# why = because\n#EMPTY=\nLONE\n",
        )
        .unwrap();
        let expected = "# head\n\nA: |- # lines\n  l1\n  l2\nB: \"3\"\n#EMPTY=\n";
        assert_eq!(*imported.text, expected);
        assert_eq!(
            imported.notes,
            [
                "`LONE`: a name without a value, left out",
                "`B`: more than once; the last one counts",
                "`OLD`, `OLDER`, `why`: an assignment in a comment, left out: comments stay readable",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_line() {
        for (text, message) in [
            ("A=1\n  what is this\n", "line 2: neither an assignment nor a comment"),
            ("=x\n", "line 1: neither an assignment nor a comment"),
            ("A='a\nb'\nB='x'y\n", "line 3: text behind a closing quote"),
            ("A=\"x\\\"\nB=1\n", "line 1: a quote that is never closed"),
            ("A=\"x\\\"\nB=\"1\"\n", "line 1: text behind a closing quote"),
            ("A=1\nB='x\n", "line 2: a quote that is never closed"),
        ] {
            let refused = read(text.as_bytes()).err().expect("refused");
            assert_eq!(refused.to_string(), message, "{text:?}");
        }
        let refused = read(b"A=1\nB=\xff\n").err().expect("refused");
        assert_eq!(refused.to_string(), "line 2: no UTF-8 text");
        assert!(read(b"secretree=1\n").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_here_is_read_back(texts in proptest::collection::vec("[ -~é\n]{0,12}", 1..6)) {
            let written = write(&variables_of(&texts)).expect("written");
            let (read, _) = values(std::str::from_utf8(&written).expect("text"));
            let read: Vec<String> = read.into_iter().map(|(_, value)| value).collect();
            prop_assert_eq!(read, texts);
        }

        #[test]
        fn no_text_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(imported) = read(&bytes) {
                proptest::prop_assert!(Tree::parse(&imported.text, Rules::Text).is_ok());
            }
        }
    }
}
