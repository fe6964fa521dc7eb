//! Tests with real peers (`age`, `sops`, formatters) name the tools they need here. A missing tool skips the test on a
//! developer's machine and fails it where `SECRETREE_REQUIRE_TOOLS=1` is set, as the gate does.

use std::os::unix::fs::PermissionsExt;

/// Whether all these programs are in `PATH`; a test that gets `false` returns.
#[track_caller]
pub(crate) fn require(tools: &[&str]) -> bool {
    let missing: Vec<_> = tools.iter().filter(|tool| !is_in_path(tool)).copied().collect();
    require_unless_missing(&missing)
}

/// The same for tools that are no programs in `PATH`: the test says which of them it did not find.
#[track_caller]
pub(crate) fn require_unless_missing(missing: &[&str]) -> bool {
    if missing.is_empty() {
        return true;
    }
    let demanded = std::env::var_os("SECRETREE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        !demanded,
        "not installed: {}; `.ci/tools` installs it",
        missing.join(", ")
    );
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: {} not installed", missing.join(", "));
    }
    false
}

/// Whether `PATH` leads to an executable file of this name.
pub(crate) fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| {
        let file = folder.join(program).metadata();
        file.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}
