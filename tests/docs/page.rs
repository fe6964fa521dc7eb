//! What a page consists of: sections, fenced blocks with the marks before them, prose, inline code and links.

/// What a comment before a block says to the tests; readers do not see it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nobody runs the block.
    #[default]
    None,
    /// `<!-- run by tests/docs: NAME -->`: the block is run, by the recipe of that name.
    Run(String),
    /// `<!-- file for tests/docs: PATH -->`: the block is a file of the repository in which the next one is run.
    File(String),
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
            next.mark = mark(comment.trim_end_matches("-->"));
        } else {
            next.lead.push_str(line);
            next.lead.push('\n');
        }
    }
    blocks
}

fn mark(comment: &str) -> Mark {
    let name = |start| comment.strip_prefix(start).map(|rest: &str| rest.trim().to_owned());
    name("run by tests/docs: ")
        .map(Mark::Run)
        .or_else(|| name("file for tests/docs: ").map(Mark::File))
        .unwrap_or_default()
}

/// A page without its fenced blocks.
pub(crate) fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push('\n');
        }
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
                <!-- run by tests/docs: it -->\n\n```sh\n# x\n## y\n```\n\n\
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
    assert_eq!(blocks[1].mark, Mark::Run("it".to_owned()));
    assert_eq!(blocks[2].mark, Mark::None);
}
