//! What a page consists of: sections, fenced blocks with the marks before them, prose, inline code and links.

/// What a comment before a block says to the tests; readers do not see it.
///
/// ```text
/// <!-- file for tests/docs: compose.yaml -->
/// <!-- run by tests/docs -->
/// <!-- run by tests/docs
/// needs: direnv jq            tools of CI; a machine that lacks them skips the section
/// optional: terraform         tools that CI may lack too
/// given: sops                 tests/docs/given/sops.sh lays out the repository; at the first block of a section
/// before: export NAME=value   lines of a shell before the block, and
/// then: test -s file          after it: they fail if the recipe did not do what it is for
/// -->
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nobody runs the block.
    #[default]
    None,
    /// The block is run.
    Run(Recipe),
    /// The block is a file, at this path of the repository.
    File(String),
}

/// How a block is run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) needs: Vec<String>,
    pub(crate) optional: Vec<String>,
    pub(crate) given: Option<String>,
    pub(crate) before: Vec<String>,
    pub(crate) then: Vec<String>,
}

/// A fenced block.
#[derive(Debug, Default)]
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) content: String,
    pub(crate) mark: Mark,
    /// The `## ` heading above it.
    pub(crate) section: &'a str,
    /// The prose since the block or heading before it.
    pub(crate) lead: String,
}

/// The fenced blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    let mut next = Block::default();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let content: Vec<_> = lines
                .by_ref()
                .take_while(|line| !line.trim_start().starts_with("```"))
                .collect();
            let section = next.section;
            blocks.push(Block {
                language,
                content: content.join("\n") + "\n",
                ..next
            });
            next = Block {
                section,
                ..Block::default()
            };
        } else if let Some(section) = line.strip_prefix("## ") {
            next = Block {
                section,
                ..Block::default()
            };
        } else if let Some(comment) = line.strip_prefix("<!-- ") {
            let mut comment = comment.to_owned();
            while !comment.ends_with("-->") {
                comment.push('\n');
                comment.push_str(lines.next().expect("a comment ends"));
            }
            next.mark = mark(comment.trim_end_matches("-->"));
        } else {
            next.lead.push_str(line);
            next.lead.push('\n');
        }
    }
    blocks
}

/// What a comment means. Panics at a word it does not know, so that no slip makes a recipe pass unseen.
fn mark(comment: &str) -> Mark {
    if let Some(path) = comment.strip_prefix("file for tests/docs: ") {
        return Mark::File(path.trim().to_owned());
    }
    if !comment.starts_with("run by tests/docs") {
        return Mark::None;
    }
    let mut recipe = Recipe::default();
    for line in comment.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let (key, text) = line.split_once(": ").unwrap_or_else(|| panic!("no key: `{line}`"));
        let words = || text.split_whitespace().map(str::to_owned);
        match key {
            "needs" => recipe.needs.extend(words()),
            "optional" => recipe.optional.extend(words()),
            "given" => recipe.given = Some(text.to_owned()),
            "before" => recipe.before.push(text.to_owned()),
            "then" => recipe.then.push(text.to_owned()),
            _ => panic!("unknown key: `{line}`"),
        }
    }
    Mark::Run(recipe)
}

/// A page without its fenced blocks and comments.
pub(crate) fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut comment = false;
    let mut prose = String::new();
    for line in page.lines() {
        comment |= !fenced && line.starts_with("<!--");
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !comment {
            prose.push_str(line);
            prose.push('\n');
        }
        comment &= !line.ends_with("-->");
    }
    prose
}

/// What stands between backticks.
pub(crate) fn inline_code(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

/// The targets of links that stay in the repository, without what follows `#`.
pub(crate) fn local_links(prose: &str) -> impl Iterator<Item = &str> {
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter_map(|target| target.split('#').next())
}

#[test]
fn blocks_know_their_section_and_their_mark() {
    let page = "# T\n\n## One\n\nFirst.\n\n<!-- file for tests/docs: a.yaml -->\n\n```yaml\na: 1\n```\n\nThen:\n\n\
                <!-- run by tests/docs\nneeds: jq age\nthen: test -s out\nthen: test: colon\n-->\n\n```sh\n# x\n## y\n```\n\n\
                ## Two\n\n<!-- a remark -->\n\n```text\nz\n```\n";
    let blocks = blocks(page);
    let found: Vec<_> = blocks
        .iter()
        .map(|block| (block.section, block.language, block.content.as_str(), block.lead.trim()))
        .collect();
    assert_eq!(
        found,
        [
            ("One", "yaml", "a: 1\n", "First."),
            ("One", "sh", "# x\n## y\n", "Then:"),
            ("Two", "text", "z\n", ""),
        ]
    );
    assert_eq!(blocks[0].mark, Mark::File("a.yaml".to_owned()));
    let recipe = Recipe {
        needs: vec!["jq".to_owned(), "age".to_owned()],
        then: vec!["test -s out".to_owned(), "test: colon".to_owned()],
        ..Recipe::default()
    };
    assert_eq!(blocks[1].mark, Mark::Run(recipe));
    assert_eq!(blocks[2].mark, Mark::None);
    assert_eq!(prose(page).matches("run by").count(), 0);
}
