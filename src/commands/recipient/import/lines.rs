//! What a person sees before they answer: who comes, with which keys, who goes, what that gives and takes, and who is
//! left out.

use std::collections::BTreeMap;

use secretree::access::{Enrollment, Joining, Leaving, Proof, Reason};
use secretree::names::{EnvironmentName, RecipientName};
use secretree::policy::{Access, POLICY_NAME};

use crate::ui::escaped;

/// The most names, or lines of one kind, that tell who is left out.
const MOST_SHOWN: usize = 12;

const NO_KEYS: &str = "no public key came for them";
const NO_NAME: &str = "no name for the policy can be made of that (secretree recipient add NAME KEY)";

/// The lines, escaped.
pub(super) fn of(enrollment: &Enrollment) -> Vec<String> {
    let group = &enrollment.group;
    let mut lines: Vec<String> = enrollment
        .joins
        .iter()
        .flat_map(|joining| joins(joining, group))
        .collect();
    lines.extend(enrollment.leaves.iter().map(|leaving| leaves(leaving, group)));
    if !enrollment.kept.is_empty() && !enrollment.change.is_empty() {
        let kept = listed(enrollment.kept.iter().map(RecipientName::as_str));
        lines.push(format!("no list is about these, and they stay in `{group}`: {kept}"));
    }
    lines.extend(gifts(&enrollment.gains, "may then"));
    lines.extend(gifts(&enrollment.losses, "may then no longer"));
    lines.extend(left_out(enrollment));
    lines.extend(cut(enrollment
        .unusable
        .iter()
        .map(|line| format!("left out: {line}"))
        .collect()));
    if !enrollment.other_keys.is_empty() {
        let names = listed(enrollment.other_keys.iter().map(RecipientName::as_str));
        lines.push(format!(
            "other keys came than the policy has, and change nothing: {names}"
        ));
    }
    lines.iter().map(|line| escaped(line).into_owned()).collect()
}

fn joins(joining: &Joining, group: &RecipientName) -> Vec<String> {
    let (name, shown) = (&joining.name, &joining.shown);
    let how = match (&joining.proof, &joining.new) {
        (Some(Proof::Address), _) => format!("known by the address of {shown}"),
        (Some(Proof::Login), _) => format!("known by the login {shown}"),
        (Some(Proof::Key(label)), _) => format!("known by the key {label} of {shown}"),
        (None, Some(new)) if new.keys.len() == 1 => format!("new, {shown} in the list, with this key:"),
        (None, _) => format!("new, {shown} in the list, with these keys:"),
    };
    let mut lines = vec![format!("`{name}` joins `{group}`: {how}")];
    let keys = joining.new.iter().flat_map(|new| &new.keys);
    lines.extend(keys.map(|key| format!("  {}  {}", key.key.label(), key.key.canonical())));
    lines
}

fn leaves(leaving: &Leaving, group: &RecipientName) -> String {
    let name = &leaving.name;
    let why = if leaving.inactive {
        "the account is not active in the list"
    } else {
        "not in the list"
    };
    let still = if leaving.still {
        ", and a member still through a group in it"
    } else {
        ""
    };
    format!("`{name}` leaves `{group}`: {why}{still}")
}

/// A line for all who get, or lose, the same.
fn gifts(shifts: &BTreeMap<RecipientName, Access>, verb: &str) -> Vec<String> {
    let mut alike: Vec<(&Access, Vec<&str>)> = Vec::new();
    for (name, access) in shifts {
        match alike.iter_mut().find(|(known, _)| *known == access) {
            Some((_, names)) => names.push(name.as_str()),
            None => alike.push((access, vec![name.as_str()])),
        }
    }
    let mut lines = Vec::new();
    for (access, names) in alike {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        let both = |name: &&EnvironmentName| access.writes.contains(*name) && access.reads.contains(*name);
        let (reads, writes) = (&access.reads, &access.writes);
        for (what, environments) in [
            ("read and change", joined(reads.iter().filter(both))),
            ("read", joined(reads.iter().filter(|name| !both(name)))),
            ("change", joined(writes.iter().filter(|name| !both(name)))),
        ] {
            if !environments.is_empty() {
                lines.push(format!("{names} {verb} {what} {environments}"));
            }
        }
        if access.maintains {
            lines.push(format!(
                "{names} {verb} say who reads what, as a maintainer of {POLICY_NAME}"
            ));
        }
    }
    lines
}

fn joined<'n>(names: impl Iterator<Item = &'n EnvironmentName>) -> String {
    names.map(EnvironmentName::as_str).collect::<Vec<_>>().join(", ")
}

fn left_out(enrollment: &Enrollment) -> Vec<String> {
    let (mut without, mut nameless, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for left_out in &enrollment.left_out {
        let shown = plainly(&left_out.shown);
        match &left_out.reason {
            Reason::NoKeys(_) => without.push(shown),
            Reason::NoName => nameless.push(shown),
            other => rest.push(format!("left out: `{shown}`: {}", reason(other))),
        }
    }
    let mut lines = Vec::new();
    for (names, why) in [(without, NO_KEYS), (nameless, NO_NAME)] {
        if !names.is_empty() {
            let names = listed(names.iter().map(String::as_str));
            lines.push(format!("left out, since {why}: {names}"));
        }
    }
    lines.extend(cut(rest));
    lines
}

/// Why somebody is left out, as a sentence without an end.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NoKeys(_) => NO_KEYS.to_owned(),
        Reason::Keys(wrong) => wrong.clone(),
        Reason::NoName => NO_NAME.to_owned(),
        Reason::Group(name) => {
            format!("`{name}` is a group here: secretree recipient add OTHER-NAME KEY")
        }
        Reason::Machine(name) => format!("`{name}` is a machine here, and the list is of people"),
        Reason::Address => {
            "the address has letters that look like others: secretree recipient add NAME KEY --email ADDRESS".to_owned()
        }
    }
}

/// A name that was not good enough, with every letter beyond ASCII written out: it may look like another.
fn plainly(shown: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_graphic() || letter == ' ' || letter == '…' {
        true => letter.to_string(),
        false => letter.escape_unicode().to_string(),
    };
    shown.chars().map(letter).collect()
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        many if many > MOST_SHOWN => format!("{} and {} more", names[..MOST_SHOWN].join(", "), many - MOST_SHOWN),
        _ => names.join(", "),
    }
}

fn cut(mut lines: Vec<String>) -> Vec<String> {
    let many = lines.len();
    if many > MOST_SHOWN {
        lines.truncate(MOST_SHOWN);
        lines.push(format!("left out: {} more, which --json names", many - MOST_SHOWN));
    }
    lines
}
