//! Runs the recipes of the pages below: each section in a repository of its own, block after block, with the tools that
//! it names. A block that is neither run nor a file of one that is has to be called untried.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::newcomer::Newcomer;
use crate::page::{Block, Mark, Recipe, blocks};
use crate::tools::{is_in_path, require};
use crate::{pages, root};

/// What lays out the repository of a section that does not say `given`.
const SHOP: &str = "shop";

/// Runs a page's sections, all of them, and tells what failed. `least` is how many blocks have to be run.
#[track_caller]
fn page_works(name: &str, least: usize) {
    let page = pages()
        .remove(Path::new(name))
        .unwrap_or_else(|| panic!("no page `{name}`"));
    let blocks = blocks(&page);
    let mut sections: BTreeMap<&str, Vec<&Block<'_>>> = BTreeMap::new();
    for block in &blocks {
        sections.entry(block.section).or_default().push(block);
    }
    let mut wrong: Vec<_> = blocks.iter().filter_map(|block| not_marked(block)).collect();
    for (section, blocks) in &sections {
        if let Err(failure) = section_works(blocks) {
            wrong.push(format!("`{section}`: {failure}"));
        }
    }
    let run = blocks.iter().filter(|block| matches!(block.mark, Mark::Run(_))).count();
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    assert!(run >= least, "only {run} blocks of {name} are run");
}

/// The complaint about a block that nobody runs and that does not say so.
fn not_marked(block: &Block<'_>) -> Option<String> {
    let honest = block.mark != Mark::None || block.lead.to_lowercase().contains("untried");
    (!honest).then(|| {
        let first = block.content.lines().next().unwrap_or_default();
        format!("`{}`: neither run nor called untried: {first}", block.section)
    })
}

/// Runs the blocks of a section in one repository.
fn section_works(blocks: &[&Block<'_>]) -> Result<(), String> {
    let recipes: Vec<&Recipe> = blocks.iter().filter_map(|block| recipe(block)).collect();
    let Some(first) = recipes.first() else {
        return Ok(());
    };
    let needs: Vec<_> = recipes.iter().flat_map(|recipe| &recipe.needs).collect();
    let needs: Vec<_> = needs.into_iter().map(String::as_str).collect();
    let mut optional = recipes.iter().flat_map(|recipe| &recipe.optional);
    if !require(&needs) || optional.any(|tool| !is_in_path(tool)) {
        return Ok(());
    }
    let newcomer = Newcomer::new();
    let given = first.given.as_deref().unwrap_or(SHOP);
    let given = root().join("tests/docs/given").join(format!("{given}.sh"));
    let given = std::fs::read_to_string(&given).unwrap_or_else(|error| panic!("{}: {error}", given.display()));
    succeeds(&newcomer.run(&given))?;
    for block in blocks {
        match &block.mark {
            Mark::None => {}
            Mark::File(path) => newcomer.write(&format!("shop/{path}"), &block.content),
            Mark::Run(recipe) => {
                succeeds(&newcomer.run(&script(recipe, &block.content)))?;
            }
        }
    }
    Ok(())
}

/// What the shell gets: every line of it has to succeed, and those after the block that begin with `! ` to fail, which
/// `sh -e` by itself does not see.
fn script(recipe: &Recipe, block: &str) -> String {
    let mut script = format!("set -x; cd shop\n{}\n{block}", recipe.before.join("\n"));
    for line in &recipe.then {
        match line.strip_prefix("! ") {
            Some(line) => script.push_str(&format!("if {line}; then exit 99; fi\n")),
            None => script.push_str(&format!("{line}\n")),
        }
    }
    script
}

fn recipe<'a>(block: &'a Block<'_>) -> Option<&'a Recipe> {
    match &block.mark {
        Mark::Run(recipe) => Some(recipe),
        Mark::None | Mark::File(_) => None,
    }
}

fn succeeds(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{printed}\n{error}", output.status))
}

#[test]
fn the_integrations_work() {
    page_works("docs/integrations.md", 10);
}

#[test]
fn the_migrations_work() {
    page_works("docs/migrating.md", 8);
}

#[test]
fn adopting_works() {
    page_works("docs/adopting.md", 1);
}

#[test]
fn a_recipe_that_does_not_work_is_found() {
    let page = |then: &str| {
        format!(
            "## Tool\n\n<!-- file for tests/docs: ops/name -->\n\n```text\nSESSION\n```\n\n\
             <!-- run by tests/docs\nbefore: name=$(cat ops/name)\nthen: {then}\n-->\n\n\
             ```sh\nsecretree run dev -- printenv \"$name\" > out || true\n```\n"
        )
    };
    for (then, works) in [("test -f out", true), ("test -s out", false), ("! test -s out", true), ("! test -f out", false)] {
        let page = page(then);
        let blocks = blocks(&page);
        let result = section_works(&blocks.iter().collect::<Vec<_>>());
        assert_eq!(result.is_ok(), works, "{then}: {result:?}");
    }
}

#[test]
fn a_block_that_nobody_runs_has_to_say_so() {
    for (page, complaint) in [
        ("## A\n\nSo:\n\n```sh\nmake\n```\n", true),
        ("## A\n\nUntried:\n\n```sh\nmake\n```\n", false),
        ("## A\n\nUntried.\n\n## B\n\n```sh\nmake\n```\n", true),
        ("## A\n\n<!-- run by tests/docs -->\n\n```sh\nmake\n```\n", false),
    ] {
        let found = blocks(page).iter().any(|block| not_marked(block).is_some());
        assert_eq!(found, complaint, "{page}");
    }
}
