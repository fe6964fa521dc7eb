//! What `check`, `scan` and the record of reads are told by the policy: findings that are waived for a time,
//! text that is no secret, whether reads are noted.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::environments::malformed_glob;
use super::fields::{Fields, Read, Reader};
use super::glob::SlashGlob;
use super::secrets::Scope;
use super::spot::{Spot, Spotted, shown};
use crate::document::tree::Node;

/// The fields of `check`, of one waiver, of `scan` and of `audit`.
pub(super) const CHECK_FIELDS: [&str; 1] = ["waive"];
/// The fields of one waiver.
pub(super) const WAIVER_FIELDS: [&str; 4] = ["code", "at", "until", "reason"];
/// The fields of `scan`.
pub(super) const SCAN_FIELDS: [&str; 2] = ["allow", "min_length"];
/// The fields of `audit`.
pub(super) const AUDIT_FIELDS: [&str; 1] = ["reads"];

/// The longest `min_length` that makes sense.
const MOST_MIN_LENGTH: u32 = 1024;

/// A finding that is accepted until a day.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The finding's code, such as `exposed-value`.
    pub code: String,
    /// The values it is accepted at.
    pub at: Scope,
    /// The last day.
    pub until: Date,
    /// Why.
    pub reason: String,
    /// Where it stands in the policy.
    pub spot: Spot,
}

/// What `scan` lets pass below one policy file.
#[derive(Clone, Debug)]
pub struct ScanPolicy {
    /// The folder of the policy file, relative to the root policy's; empty for the root.
    pub folder: PathBuf,
    /// What is allowed.
    pub allow: Vec<Allowance>,
    /// The shortest known value that is looked for, in characters.
    pub min_length: Option<u32>,
}

/// Something that `scan` lets pass.
#[derive(Clone, Debug)]
pub enum Allowance {
    /// Files, relative to the policy file's folder.
    Files(SlashGlob),
    /// Text that matches this regular expression.
    Text(Spotted<String>),
}

/// Reads `check`: the waivers.
pub(super) fn read_waivers(reader: Reader<'_>, root: &Fields<'_>, folder: &Path) -> Read<Vec<Waiver>> {
    let Some(node) = root.get("check") else {
        return Ok(Vec::new());
    };
    let fields = reader.fields(node, "`check`", &CHECK_FIELDS)?;
    let Some(waive) = fields.get("waive") else {
        return Ok(Vec::new());
    };
    let items = reader.items(waive, "`waive`")?;
    items
        .iter()
        .map(|item| read_waiver(reader, &item.value, folder))
        .collect()
}

fn read_waiver(reader: Reader<'_>, node: &Node<'_>, folder: &Path) -> Read<Waiver> {
    let fields = reader.fields(node, "a waiver", &WAIVER_FIELDS)?;
    let code = reader.text(fields.needed("code", "a waiver")?, "`code`")?;
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    if code.value.is_empty() || !code.value.bytes().all(is_code) {
        return Err(code
            .spot
            .failure(format_args!("{} is no code of a finding", shown(&code.value))));
    }
    let at = reader.text(fields.needed("at", "a waiver")?, "`at`")?;
    let reason = reader.text(fields.needed("reason", "a waiver")?, "`reason`")?;
    if reason.value.trim().is_empty() {
        return Err(reason.spot.failure("a waiver says why in `reason`"));
    }
    fields.needed("until", "a waiver")?;
    let until = fields.date("until")?;
    Ok(Waiver {
        code: code.value,
        at: Scope::read(&at, folder)?,
        until: until.expect("the field was found a line above"),
        reason: reason.value,
        spot: fields.spot().clone(),
    })
}

/// Reads `scan`.
pub(super) fn read_scan(reader: Reader<'_>, root: &Fields<'_>, folder: &Path) -> Read<Option<ScanPolicy>> {
    let Some(node) = root.get("scan") else { return Ok(None) };
    let fields = reader.fields(node, "`scan`", &SCAN_FIELDS)?;
    let mut allow = Vec::new();
    for item in fields.texts("allow")?.unwrap_or_default() {
        allow.push(read_allowance(item)?);
    }
    let min_length = fields.get("min_length");
    let min_length = min_length
        .map(|node| reader.integer(node, "`min_length`", MOST_MIN_LENGTH))
        .transpose()?;
    let folder = folder.to_owned();
    Ok(Some(ScanPolicy {
        folder,
        allow,
        min_length,
    }))
}

fn read_allowance(item: Spotted<String>) -> Read<Allowance> {
    match item.value.strip_prefix("regex:") {
        Some(pattern) => {
            regex_syntax::parse(pattern).map_err(|_| item.spot.failure("`regex:` is no regular expression"))?;
            Ok(Allowance::Text(Spotted {
                value: pattern.to_owned(),
                spot: item.spot,
            }))
        }
        None => SlashGlob::parse(&item.value)
            .map(Allowance::Files)
            .map_err(|why| malformed_glob(&item, &why)),
    }
}

/// Reads `audit`: whether reads are noted.
pub(super) fn read_audit(reader: Reader<'_>, root: &Fields<'_>) -> Read<bool> {
    match root.get("audit") {
        Some(node) => reader.fields(node, "`audit`", &AUDIT_FIELDS)?.flag("reads"),
        None => Ok(false),
    }
}
