//! Any text is refused as a policy in one line that quotes none of its control characters, or is a policy.

#![no_main]

use secretree::policy::Policy;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = Policy::parse(text, ".secrets.yaml") {
        let message = error.to_string();
        assert!(!message.is_empty() && !message.contains(['\n', '\u{1b}']), "{message:?}");
    }
});
