//! Any text is refused, or sealed and opened back byte for byte.

#![no_main]

#[path = "../../tests/documents/round_trip.rs"]
mod round_trip;

libfuzzer_sys::fuzz_target!(|text: &str| {
    // A refusal is an answer; what must not happen panics inside.
    let _ = round_trip::check(text);
});
