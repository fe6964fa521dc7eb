//! The table of `docs/git.md`: each of its rows is two branches that are merged and rebased for real, by git alone, by the
//! driver without a key and by the driver with one. No value is lost, and no file is left that does not open without saying
//! so. The words of the table are what came out, so it cannot rot.

use std::path::Path;

use crate::fixture::{edit, policy};
use crate::forgery::{copy_tree, set};
use crate::sandbox::{Person, Sandbox, identity_of};

const FILE: &str = "secrets/dev.yaml";
pub(crate) const DRIVER: &str = "secretree git merge -- %O %A %B %L %P %S %X %Y";

/// One row of the table.
struct Row {
    /// Its first cell.
    name: &'static str,
    base: &'static str,
    ours: fn(&Person),
    theirs: fn(&Person),
    /// What the file decrypts to where it is merged.
    merged: &'static str,
}

/// `dev` as this text.
fn text(person: &Person, text: &str) {
    edit(person, "dev", text).run().succeeds();
}

fn put(person: &Person, path: &str, value: &str) {
    set(person, "dev", path, value).succeeds();
}

fn new_key(person: &Person) {
    person
        .secretree(["apply", "dev", "--new-key", "--yes"])
        .run()
        .succeeds();
}

/// Makes `name` a reader by the group with one line of its own.
fn reader(person: &Person, group: &str, name: &str) {
    let policy = person.read_text(".secrets.yaml");
    person.write(
        ".secrets.yaml",
        policy.replace(&format!("{group}: [alice]"), &format!("{group}: [alice, {name}]")),
    );
    person.secretree(["apply", "dev", "--yes"]).run().succeeds();
}

/// What a formatter makes of the file: every indentation twice as deep.
fn reindent(person: &Person) {
    let deeper = |line: &str| {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        format!("{}{line}\n", " ".repeat(blanks))
    };
    let formatted: String = person.read_text(FILE).lines().map(deeper).collect();
    person.write(FILE, formatted);
    person.secretree(["decrypt", "dev"]).run().succeeds();
}

const FLAT: &str = "a: one\nb: two\nc: three\n";
const DEEP: &str = "db:\n  user: u\n  password: p\nother: o\n";
const MOVED: &str = "other: o\nservices:\n  db:\n    user: u\n    password: p\n";

const ROWS: [Row; 15] = [
    Row {
        name: "neighbouring values",
        base: FLAT,
        ours: |alice| put(alice, "a", "ours"),
        theirs: |alice| put(alice, "b", "theirs"),
        merged: "a: ours\nb: theirs\nc: three\n",
    },
    Row {
        name: "the same value",
        base: FLAT,
        ours: |alice| put(alice, "a", "ours"),
        theirs: |alice| put(alice, "a", "theirs"),
        merged: "",
    },
    Row {
        name: "a value × a new key",
        base: FLAT,
        ours: |alice| put(alice, "a", "ours"),
        theirs: new_key,
        merged: "a: ours\nb: two\nc: three\n",
    },
    Row {
        name: "a new key × a value",
        base: FLAT,
        ours: new_key,
        theirs: |alice| put(alice, "b", "theirs"),
        merged: "a: one\nb: theirs\nc: three\n",
    },
    Row {
        name: "a new key × nothing but comments",
        base: "# one\na: one\n",
        ours: new_key,
        theirs: |alice| text(alice, "# 1\na: one\n"),
        merged: "# 1\na: one\n",
    },
    Row {
        name: "a new key × a new key",
        base: FLAT,
        ours: |alice| {
            new_key(alice);
            put(alice, "a", "ours");
        },
        theirs: |alice| {
            new_key(alice);
            put(alice, "c", "theirs");
        },
        merged: "a: ours\nb: two\nc: theirs\n",
    },
    Row {
        name: "two new readers",
        base: FLAT,
        ours: |alice| reader(alice, "first", "bob"),
        theirs: |alice| reader(alice, "second", "carol"),
        merged: FLAT,
    },
    Row {
        name: "two values added at the end",
        base: "z: one\nb: two\n",
        ours: |alice| put(alice, "w", "ours"),
        theirs: |alice| put(alice, "x", "theirs"),
        merged: "z: one\nb: two\n",
    },
    Row {
        name: "one value added on both sides",
        base: FLAT,
        ours: |alice| put(alice, "d", "ours"),
        theirs: |alice| put(alice, "d", "theirs"),
        merged: "",
    },
    Row {
        name: "a value removed × changed",
        base: FLAT,
        ours: |alice| {
            alice.secretree(["unset", "dev", "b"]).run().succeeds();
        },
        theirs: |alice| put(alice, "b", "theirs"),
        merged: "",
    },
    Row {
        name: "comments at two places",
        base: "# one\na: one # x\n# two\nb: two\n",
        ours: |alice| text(alice, "# 1\na: one # x\n# two\nb: two\n"),
        theirs: |alice| text(alice, "# one\na: one # y\n# 2\nb: two # z\n"),
        merged: "# 1\na: one # y\n# 2\nb: two # z\n",
    },
    Row {
        name: "one comment on both sides",
        base: "# one\na: one\n",
        ours: |alice| text(alice, "# ours\na: one\n"),
        theirs: |alice| text(alice, "# theirs\na: one\n"),
        merged: "",
    },
    Row {
        name: "indented anew by a formatter × values",
        base: DEEP,
        ours: reindent,
        theirs: |alice| {
            put(alice, "db.password", "theirs");
            put(alice, "db.port", "5432");
        },
        merged: "db:\n    user: u\n    password: theirs\n    port: \"5432\"\nother: o\n",
    },
    Row {
        name: "a mapping moved × a value elsewhere",
        base: DEEP,
        ours: |alice| text(alice, MOVED),
        theirs: |alice| put(alice, "other", "theirs"),
        merged: "other: theirs\nservices:\n  db:\n    user: u\n    password: p\n",
    },
    Row {
        name: "a mapping moved × a value in it",
        base: DEEP,
        ours: |alice| text(alice, MOVED),
        theirs: |alice| put(alice, "db.password", "theirs"),
        merged: "",
    },
];

/// Who merges.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Means {
    GitAlone,
    DriverWithoutKey,
    DriverWithKey,
}

/// How git brings the branches together.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Merge,
    Rebase,
}

/// Two branches, `main` and `topic`, that grew out of one commit.
struct Branches {
    alice: Person,
    tips: [String; 2],
    files: [String; 3],
}

impl Branches {
    fn of(row: &Row) -> Self {
        let alice = Sandbox::new().person("alice");
        let key_of = |name: &str| identity_of(name).to_public().to_string();
        let keys = ["alice", "bob", "carol"].map(|name| (name, key_of(name)));
        alice.write(
            ".secrets.yaml",
            policy(
                &keys.each_ref().map(|(name, key)| (*name, key.as_str())),
                "groups:\n  first: [alice]\n  # one\n  # two\n  # three\n  second: [alice]\n\
                 environments: {dev: {file: secrets/dev.yaml, readers: [first, second]}}\n",
            ),
        );
        alice.git(["init", "--quiet"]).run().succeeds();
        text(&alice, row.base);
        alice.write(".gitattributes", "secrets/*.yaml merge=secretree\n");
        alice.commit("base");
        let base = alice.read_text(FILE);
        let tip = |branch: &str, change: fn(&Person)| {
            alice.git(["checkout", "--quiet", "-b", branch, "main"]).run().code(0);
            change(&alice);
            alice.commit(branch);
            let tip = alice.git(["rev-parse", "HEAD"]).run();
            (tip.stdout().trim().to_owned(), alice.read_text(FILE))
        };
        let (ours, our_file) = tip("ours", row.ours);
        let (theirs, their_file) = tip("topic", row.theirs);
        Self {
            alice,
            tips: [ours, theirs],
            files: [base, our_file, their_file],
        }
    }

    /// Brings the branches together; the word of the table.
    fn join(&self, row: &Row, means: Means, operation: Operation) -> &'static str {
        let alice = &self.alice;
        let [ours, theirs] = &self.tips;
        let state = alice.folder().join("state");
        let kept = alice.folder().join("state-kept");
        copy_tree(&state, &kept);
        let driver = if means == Means::GitAlone { "" } else { DRIVER };
        let setting = format!("merge.secretree.driver={driver}");
        let setting = if driver.is_empty() { "a.b=" } else { &setting };
        let (start, words): (_, &[&str]) = match operation {
            Operation::Merge => (ours, &["merge", "--no-edit", theirs]),
            Operation::Rebase => (theirs, &["rebase", ours]),
        };
        alice
            .git(["checkout", "--quiet", "--force", "--detach", start])
            .run()
            .code(0);
        let hidden = alice.folder().join("hidden");
        if means == Means::DriverWithoutKey {
            std::fs::rename(alice.identity_file(), &hidden).unwrap();
        }
        let joined = alice.git(["-c", setting].iter().chain(words).copied()).run();
        if means == Means::DriverWithoutKey {
            std::fs::rename(&hidden, alice.identity_file()).unwrap();
        }
        let shown = format!("{}: {means:?}, {operation:?}\n{}", row.name, joined.stderr());
        let word = match joined.exit_code() {
            Some(0) => self.merged(row, &shown),
            _ => self.in_conflict(row, &shown),
        };
        alice.git([words[0], "--abort"]).run();
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::rename(kept, state).unwrap();
        word
    }

    /// Git says that it is merged: it opens to what both wanted, or says what to do.
    fn merged(&self, row: &Row, shown: &str) -> &'static str {
        let alice = &self.alice;
        let mut decrypted = alice.secretree(["decrypt", "dev"]).run();
        let mut word = "merged";
        if decrypted.exit_code() == Some(5) {
            assert!(
                decrypted.stderr().contains("secretree apply dev"),
                "{shown}\n{}",
                decrypted.stderr()
            );
            alice.secretree(["apply", "dev", "--yes"]).run().code(0);
            decrypted = alice.secretree(["decrypt", "dev"]).run();
            word = "`apply`";
        }
        assert_eq!(
            decrypted.exit_code(),
            Some(0),
            "{shown}\n{}\n{}",
            decrypted.stderr(),
            alice.read_text(FILE)
        );
        // Which of two new values stands first is the branches' order.
        let lines = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let mut wanted = row.merged.to_owned();
        if row.name == "two values added at the end" {
            wanted.push_str("w: ours\nx: theirs\n");
        }
        assert_eq!(lines(&decrypted.stdout()), lines(&wanted), "{shown}");
        if row.name == "two new readers" {
            for name in ["bob", "carol"] {
                assert!(
                    alice.read_text(FILE).contains(&format!("\n    {name}:\n")),
                    "{name}: {shown}"
                );
            }
        }
        word
    }

    /// Git says that there is a conflict: there are markers, every value is there, and no command takes the file.
    fn in_conflict(&self, _: &Row, shown: &str) -> &'static str {
        let text = self.alice.read_text(FILE);
        assert!(
            text.contains("\n<<<<<<< ") || text.starts_with("<<<<<<< "),
            "{shown}\n{text}"
        );
        let [base, ours, theirs] = &self.files;
        for side in [ours, theirs] {
            for version in versions(side) {
                let is_new = !base.contains(&version);
                assert!(!is_new || text.contains(&version), "{version} is lost: {shown}\n{text}");
            }
        }
        let refused = self.alice.secretree(["get", "dev", "a"]).run();
        assert_eq!(refused.exit_code(), Some(1), "{shown}\n{text}");
        assert!(refused.stderr().contains("conflict"), "{}", refused.stderr());
        "conflict"
    }
}

/// The versions of all tokens in a file.
fn versions(file: &str) -> Vec<String> {
    let tokens = file.lines().filter_map(|line| line.trim().strip_prefix("ENC[age,"));
    tokens
        .filter_map(|token| token.split(',').nth(1).map(str::to_owned))
        .collect()
}

/// A row of the table, as it stands in the page.
fn rendered(row: &Row) -> String {
    let branches = Branches::of(row);
    let mut cells = vec![row.name.to_owned()];
    for means in [Means::GitAlone, Means::DriverWithoutKey, Means::DriverWithKey] {
        let words = [Operation::Merge, Operation::Rebase].map(|operation| branches.join(row, means, operation));
        assert_eq!(words[0], words[1], "{}: {means:?}", row.name);
        cells.push(words[0].to_owned());
    }
    cells.join(" | ")
}

/// The rows of the table in the page, each without its padding.
fn page() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/git.md")).unwrap();
    let tables = page
        .split("## Merging")
        .nth(1)
        .expect("the page has a section on merging");
    let rows = tables.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|row| {
        let cells = row.trim_matches('|').split('|').map(str::trim);
        cells.collect::<Vec<_>>().join(" | ")
    });
    cells
        .take_while(|row| !row.is_empty())
        .skip(2)
        .take(ROWS.len())
        .collect()
}

fn check(rows: &[Row]) {
    let page = page();
    assert_eq!(page.len(), ROWS.len(), "the table has a row for each case");
    let found: Vec<String> = rows.iter().map(rendered).collect();
    let missing: Vec<_> = found.iter().filter(|row| !page.contains(row)).cloned().collect();
    assert!(
        missing.is_empty(),
        "docs/git.md does not say\n{}\nbut\n{}",
        missing.join("\n"),
        page.join("\n")
    );
}

// In parts, so that they run side by side.
#[test]
fn values_and_keys() {
    check(&ROWS[..4]);
}

#[test]
fn keys_and_readers() {
    check(&ROWS[4..8]);
}

#[test]
fn places() {
    check(&ROWS[8..12]);
}

#[test]
fn layouts() {
    check(&ROWS[12..]);
}
