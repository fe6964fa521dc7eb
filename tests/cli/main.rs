//! The program as a person meets it: every command run as a process of its own, in a sandbox with its own home,
//! environment, clock and repositories, and judged by its whole standard output, standard error and status.
//!
//! One module per verb (`set.rs`, `run.rs`, …) and `stories.rs` for what several people do in turn; a new file is
//! named here, or `no_file_is_forgotten` fails. A test reads like this:
//!
//! ```ignore
//! let team = Team::new(&["alice", "bob"]);                     // a shared repository, a clone and an identity each
//! let alice = team.person("alice");
//! alice.secretree(["set", "dev", "stripe.key"]).input("sk_live_1").run().succeeds();
//! alice.secretree(["get", "dev", "stripe.kye"]).run().check(expect![[r#"…"#]]); // UPDATE_EXPECT=1 fills it in
//! ```
//!
//! What the sandbox offers: `sandbox` (one person or none, with or without git), `team` (several clones of one
//! repository), `run` (a command, its input, environment, time limit), `output` (judging it), `redaction` (what a
//! snapshot hides because it is random), `terminal` (prompts), `canary` (a value that must be seen nowhere) and
//! `tools` (tests with real peers). Tests of the sandbox itself are in `sandbox_itself`.

// Tests lay out fixtures; nothing here has to be atomic.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "fixtures are written before anyone reads them, and a helper that fails is a failed test"
)]

mod access;
mod access_moved;
mod action;
mod action_runner;
mod apply;
mod apply_since;
mod at;
mod canary;
mod captured;
mod check;
mod check_attacks;
mod check_codes;
mod check_since;
mod check_since_openpgp;
mod ci_recipes;
mod commands_page;
mod completions;
mod crash;
mod crash_access;
mod decrypt;
mod demo;
mod diff;
mod docker_daemon;
mod doctor;
mod doctor_files;
mod doctor_identities;
mod doctor_repository;
mod doctor_trust;
mod documents;
mod dotenv_readers;
mod editor;
mod encrypt;
mod fixture;
mod forged_key;
mod forgery;
mod format_readers;
mod formats;
mod formatters;
mod get;
mod git_pre_commit;
mod git_textconv;
mod github_runner;
mod grant;
mod hooks;
mod hooks_started_by_others;
mod import;
mod import_peers;
mod init;
mod init_from_sops;
mod join;
mod key_sources;
mod keygen;
mod kubernetes_server;
mod latecomer;
mod list;
mod log;
mod man;
mod merge;
mod merge_attacks;
mod merge_driver;
mod merge_matrix;
mod monorepo;
mod moved;
mod newcomer;
mod offboard;
mod output;
mod patterns;
mod plugins;
mod policy_attacks;
mod proposals;
mod proposals_hostile;
mod readable;
mod recipient;
mod recipient_files;
mod recipient_import;
mod recipient_import_hostile;
mod recipient_keys;
mod recipients;
mod redaction;
mod revoke;
mod rollback;
mod run;
mod run_command;
mod sandbox;
mod sandbox_itself;
mod scratch;
mod set;
mod set_value;
mod sops;
mod sops_refused;
mod sops_written;
mod stock_age;
mod stories;
mod stories_access;
mod team;
mod terminal;
mod tools;
mod trust;
mod unseen;
mod unseen_access;
mod unset;
mod whoami;
mod writers;

use std::collections::BTreeSet;
use std::path::Path;

/// A file that no `mod` line names would be compiled by nobody, and its tests would pass by never running.
#[test]
fn no_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".rs");
        assert!(
            stem.is_some(),
            "`tests/cli/{name}` is neither a module nor named anywhere"
        );
        there.extend(stem.filter(|stem| *stem != "main").map(String::from));
    }
    let named: BTreeSet<String> = include_str!("main.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(String::from)
        .collect();
    assert_eq!(
        there, named,
        "the files of tests/cli and the `mod` lines of its main.rs differ"
    );
}
