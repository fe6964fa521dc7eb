//! The program: reads the command line, runs one command, prints what it failed with. Commands, terminal
//! and surroundings have modules of their own; everything about secrets is in the library.

mod child;
mod cli;
mod commands;
mod completion;
mod context;
mod demo;
mod editor;
mod input;
mod manual;
mod ui;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

fn main() -> ExitCode {
    panic::set_hook(Box::new(ui::report_panic));
    secretree::process::disable_core_dumps();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| cli::run(std::env::args_os())));
    outcome.unwrap_or(ExitCode::FAILURE)
}
