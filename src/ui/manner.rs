//! The flags about how the program speaks: how much, in which form and colour, and whether it asks.

use clap::ValueEnum;

/// How the program speaks.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Manner {
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print no notes, only data, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say more about what is done
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// When to use colours: auto, always, never
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        value_enum,
        default_value_t = Color::Auto,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub(super) color: Color,
    /// Answer every question with yes
    #[arg(short, long, global = true)]
    pub(super) yes: bool,
}

/// When messages are coloured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
