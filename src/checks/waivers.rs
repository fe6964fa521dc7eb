//! The waivers of a policy: findings that are accepted at some places until a day. Sorts findings into those that count and
//! those that are waived, and finds what is wrong with the waivers themselves.

use std::path::Path;

use jiff::civil::Date;

use super::people::place_of;
use super::{Look, RULES, Rule};
use crate::document::path::ValuePath;
use crate::finding::{Code, Finding};
use crate::names::did_you_mean;
use crate::policy::{Policy, Waiver};

static EXPIRED_CODE: Code = Code::warning(
    "waiver-expired",
    "a waiver has ended and what it was for is still there",
);

pub(super) static EXPIRED: Rule = Rule {
    code: &EXPIRED_CODE,
    look: Look::Waivers(expired),
};

static UNKNOWN_CODE: Code = Code::warning("waiver-unknown-code", "a waiver names a code that no check has");

pub(super) static UNKNOWN: Rule = Rule {
    code: &UNKNOWN_CODE,
    look: Look::Waivers(unknown),
};

/// The waivers of a policy, and what they are held against.
pub struct Waivers<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The root policy's folder, relative to where findings name files from.
    pub folder: &'a Path,
    /// What was found.
    pub findings: &'a [Finding],
    /// The day.
    pub today: Date,
}

/// Findings, sorted by whether they are waived.
pub struct Waived<'p> {
    /// Those that count, with what is wrong with the waivers behind them.
    pub counted: Vec<Finding>,
    /// Those that are accepted, each with its waiver.
    pub waived: Vec<(Finding, &'p Waiver)>,
    /// Waivers that are still valid and wanted for nothing.
    pub idle: Vec<&'p Waiver>,
}

impl Waivers<'_> {
    fn covers(&self, waiver: &Waiver, finding: &Finding) -> bool {
        covers(self.policy, waiver, finding)
    }

    fn is_over(&self, waiver: &Waiver) -> bool {
        waiver.until < self.today
    }
}

/// Sorts findings by the waivers of their policy.
pub fn waive<'p>(policy: &'p Policy, folder: &Path, findings: Vec<Finding>, today: Date) -> Waived<'p> {
    let mut problems = Vec::new();
    let waivers = Waivers {
        policy,
        folder,
        findings: &findings,
        today,
    };
    for rule in RULES {
        if let Look::Waivers(find) = rule.look {
            problems.extend(find(&waivers));
        }
    }
    let is_idle = |waiver: &&Waiver| {
        !waivers.is_over(waiver)
            && !is_of_change(&waiver.code)
            && !findings.iter().any(|finding| waivers.covers(waiver, finding))
    };
    let idle = policy.waivers.iter().filter(is_idle).collect();
    let (mut counted, waived) = sort_by(policy, findings, today);
    counted.extend(problems);
    Waived { counted, waived, idle }
}

/// Sorts findings about commits into those that count and those that the policy before the commits accepts: a branch does
/// not excuse itself. Nothing is accepted where there is no such policy.
pub fn waive_changes(
    known: Option<&Policy>,
    findings: Vec<Finding>,
    today: Date,
) -> (Vec<Finding>, Vec<(Finding, &Waiver)>) {
    match known {
        Some(policy) => sort_by(policy, findings, today),
        None => (findings, Vec::new()),
    }
}

fn sort_by(policy: &Policy, findings: Vec<Finding>, today: Date) -> (Vec<Finding>, Vec<(Finding, &Waiver)>) {
    let (mut counted, mut waived) = (Vec::new(), Vec::new());
    for finding in findings {
        let mut valid = policy.waivers.iter().filter(|waiver| waiver.until >= today);
        match valid.find(|waiver| covers(policy, waiver, &finding)) {
            Some(waiver) => waived.push((finding, waiver)),
            None => counted.push(finding),
        }
    }
    (counted, waived)
}

/// Whether findings of this code are about commits.
fn is_of_change(code: &str) -> bool {
    let mut rules = RULES.iter().filter(|rule| rule.code.name == code);
    rules.any(|rule| matches!(rule.look, Look::Change(_)))
}

fn covers(policy: &Policy, waiver: &Waiver, finding: &Finding) -> bool {
    if waiver.code != finding.code.name {
        return false;
    }
    let (place, scope) = (&finding.place, &waiver.at);
    let whole = ValuePath::default();
    let path = place.path.as_ref().unwrap_or(&whole);
    match place.environment.as_ref().and_then(|name| policy.environment(name)) {
        Some(environment) => scope.matches(environment, path),
        // What is of no environment is waived by a pattern that leaves out none.
        None => scope.is_about_everything(),
    }
}

fn expired(waivers: &Waivers<'_>) -> Vec<Finding> {
    let over = waivers.policy.waivers.iter().filter(|waiver| {
        waivers.is_over(waiver) && waivers.findings.iter().any(|finding| waivers.covers(waiver, finding))
    });
    let finding = |waiver: &Waiver| {
        let message = format!(
            "the waiver of `{}` at `{}` ended on {}",
            waiver.code,
            waiver.at.as_written(),
            waiver.until
        );
        let finding: Finding = EXPIRED_CODE.finding(place_of(waivers.folder, &waiver.spot), message);
        finding.hint("mend what it was for and take it out, or give it a later `until` and a reason")
    };
    over.map(finding).collect()
}

fn unknown(waivers: &Waivers<'_>) -> Vec<Finding> {
    let known = || RULES.iter().map(|rule| rule.code.name);
    let strange = waivers.policy.waivers.iter();
    let strange = strange.filter(|waiver| !known().any(|name| name == waiver.code));
    let finding = |waiver: &Waiver| {
        let message = format!("a waiver names `{}`, which is no code of a check", waiver.code);
        let finding: Finding = UNKNOWN_CODE.finding(place_of(waivers.folder, &waiver.spot), message);
        match did_you_mean(&waiver.code, known()) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding.hint("docs/checks.md lists them all"),
        }
    };
    strange.map(finding).collect()
}
