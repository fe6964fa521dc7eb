//! The commits between two points of history.

use git2::{Oid, Sort};

use super::{CommitId, Repository, explain};
use crate::error::Result;

impl Repository {
    /// The commits behind `from` that are not behind `since`, over all parents, those with fewer commits behind them first.
    ///
    /// # Errors
    /// `Failed` if commits are missing.
    pub fn commits_between(&self, since: CommitId, from: CommitId) -> Result<Vec<CommitId>> {
        let unreadable = |error: git2::Error| explain("the commits cannot be listed", &error);
        let mut walk = self.inner()?.revwalk().map_err(unreadable)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)
            .map_err(unreadable)?;
        walk.push(from.0).map_err(unreadable)?;
        walk.hide(since.0).map_err(unreadable)?;
        let found: Result<Vec<Oid>, _> = walk.collect();
        Ok(found.map_err(unreadable)?.into_iter().map(CommitId).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Sandbox;

    #[test]
    fn merged_branches_belong_to_it_and_what_was_known_does_not() {
        let sandbox = Sandbox::new();
        let known = sandbox.commit_file("a", "1");
        sandbox.git(&["switch", "-q", "-c", "side"]);
        let side = sandbox.commit_file("b", "2");
        sandbox.git(&["switch", "-q", "main"]);
        let own = sandbox.commit_file("a", "3");
        sandbox.git(&["merge", "-q", "--no-edit", "side"]);
        let merge = sandbox.git(&["rev-parse", "HEAD"]);
        let repository = sandbox.repository();
        let commit = |text: &str| repository.resolve(text).unwrap();
        let between = repository.commits_between(commit(&known), commit("HEAD")).unwrap();
        let found: Vec<_> = between.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.contains(&side) && found.contains(&own));
        assert_eq!(found[2], merge);
        assert!(
            repository
                .commits_between(commit("HEAD"), commit("HEAD"))
                .unwrap()
                .is_empty()
        );
    }
}
