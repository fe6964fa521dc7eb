//! The first minute of the README, run as it stands there.

use std::path::Path;

use crate::newcomer::{Newcomer, printed};
use crate::page::blocks;
use crate::pages;

#[test]
fn the_first_minute_works() {
    let readme = &pages()[Path::new("README.md")];
    let blocks = blocks(readme);
    let marked = blocks.iter().find(|block| block.section == "60 seconds");
    let block = &marked.expect("the README has the block").content;
    assert!(block.lines().count() >= 5, "too short: {block}");

    let newcomer = Newcomer::new();
    let output = printed(&newcomer.run(block));
    let session = output.lines().last().expect("the last line shows a value");
    assert_eq!(session.len(), 44, "32 bytes in base64: {output}");

    let value = printed(&newcomer.run("cd shop\nsecretree get dev stripe.key"));
    assert_eq!(value, "sk_test_1");
    let committed = printed(&newcomer.run("cd shop\ngit status --porcelain\ngit show HEAD:secrets/dev.yaml"));
    assert!(
        !committed.contains("sk_test_1") && !committed.contains(session),
        "{committed}"
    );
    assert!(committed.contains("|- # of the test account"), "{committed}");
    assert!(
        !committed.starts_with(['?', ' ', 'M']),
        "something was not committed: {committed}"
    );
}
