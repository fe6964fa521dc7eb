//! Which texts are proposed for a path that was begun: all of them where they are few, else one step at a time. And
//! which may be proposed at all: their writers are others, and a shell will read them.

/// The most paths that are proposed whole; of more, only as far as the next dot.
const MOST_WHOLE: usize = 60;

/// Whether a text means itself in every shell, inside and outside of words: letters, digits and `_ - . / +`, not at the
/// start what makes it an option. Everything else is left out, so nothing has to be quoted in five languages.
pub(super) fn is_plain(text: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || "_-./+".contains(character);
    text.chars().all(fits) && !text.starts_with(['-', '+'])
}

/// What to propose for `current` out of `paths`, in order: those that begin with it, or their parts up to the next dot.
pub(super) fn steps(mut paths: Vec<String>, current: &str) -> Vec<String> {
    paths.retain(|path| path.starts_with(current) && is_plain(path));
    paths.sort_unstable();
    paths.dedup();
    if paths.len() <= MOST_WHOLE {
        return paths;
    }
    let step_of = |path: &str| {
        let behind = &path[current.len()..];
        current.len() + behind.find('.').map_or(behind.len(), |dot| dot + 1)
    };
    let groups = paths.chunk_by(|one, next| one[..step_of(one)] == next[..step_of(next)]);
    let proposed = groups.map(|group| match group {
        [alone] => alone.clone(),
        several => several[0][..step_of(&several[0])].to_owned(),
    });
    proposed.collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST_WHOLE, is_plain, steps};

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| String::from(*text)).collect()
    }

    #[test]
    fn few_are_proposed_whole_and_in_order() {
        let paths = owned(&["stripe.key", "database.user", "database.password", "database.user"]);
        assert_eq!(
            steps(paths.clone(), "data"),
            owned(&["database.password", "database.user"])
        );
        assert_eq!(
            steps(paths.clone(), ""),
            owned(&["database.password", "database.user", "stripe.key"])
        );
        assert!(steps(paths, "x").is_empty());
    }

    #[test]
    fn many_are_proposed_up_to_the_next_dot() {
        let mut paths: Vec<_> = (0..MOST_WHOLE).map(|number| format!("app.a{number}.key")).collect();
        paths.extend(owned(&["app", "alone.in.its.group", "top"]));
        assert_eq!(
            steps(paths.clone(), ""),
            owned(&["alone.in.its.group", "app", "app.", "top"])
        );
        assert_eq!(steps(paths.clone(), "ap"), owned(&["app", "app."]));
        paths.extend((0..MOST_WHOLE).map(|number| format!("app.b.{number}")));
        let below = steps(paths, "app.");
        assert_eq!(below.len(), MOST_WHOLE + 1, "{below:?}");
        assert!(below.contains(&"app.a7.key".to_owned()) && below.contains(&"app.b.".to_owned()));
    }

    #[test]
    fn what_a_shell_could_read_otherwise_is_left_out() {
        for text in [
            "$(touch x)",
            "`x`",
            "a;b",
            "a b",
            "a\nb",
            "a\tb",
            "a'b",
            "a\"b",
            "a\\b",
            "a*",
            "a?",
            "[a]",
            "{a,b}",
            "~",
            "!x",
            "#x",
            "a=b",
            "a:b",
            "a@b",
            "%x",
            "^x",
            "-x",
            "+x",
            "a\u{202e}b",
            "\u{1b}[2J",
            "<x",
            ">x",
            "a&b",
            "a|b",
            "(x)",
            "schlüssel",
        ] {
            assert!(!is_plain(text), "{text:?}");
            assert!(steps(vec![text.to_owned()], "").is_empty());
        }
        for text in ["database.password", "hosts.0", "A_B-c", "billing/prod", "c++"] {
            assert!(is_plain(text), "{text}");
        }
    }
}
