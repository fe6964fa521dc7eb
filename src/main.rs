//! The program: reads the command line, runs one command, prints what it failed with.

fn main() {}
