//! How many findings there are, in words. The lines of each are the terminal's (`ui::finding_lines` of the program).

/// `2 errors, 1 warning`.
pub fn summary(errors: usize, warnings: usize) -> String {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
}
