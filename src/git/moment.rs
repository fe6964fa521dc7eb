//! Where commits stand to each other and in time: which one a branch was at, and which lies behind which.

use git2::Oid;

use super::walk::Walk;
use super::{CommitId, Repository};
use crate::error::Result;

impl Repository {
    /// How the branch whose newest commit is `tip` stood before `end` (seconds since 1970): the newest commit on the way
    /// along first parents that was committed before it. Commits of merged branches do not count: they came later. `None`
    /// if there was none yet, or it is not in this clone.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn last_before(&self, tip: CommitId, end: i64) -> Result<Option<CommitId>> {
        let walk = Walk::new(self.odb()?);
        let mut next: Option<Oid> = Some(tip.0);
        while let Some(id) = next {
            let Some(node) = walk.node(id)? else { return Ok(None) };
            if node.committed < end {
                return Ok(Some(CommitId(id)));
            }
            next = node.parents.first().copied();
        }
        Ok(None)
    }

    /// The newest commit that is behind both, or one of several: where two branches parted. `None` if there is none, or it is
    /// not in this clone.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn merge_base(&self, one: CommitId, other: CommitId) -> Result<Option<CommitId>> {
        let base = self.inner()?.merge_base(one.0, other.0);
        Ok(base.ok().map(CommitId))
    }

    /// Whether `commit` is `tip` or behind it.
    ///
    /// # Errors
    /// `Failed` if the repository cannot be read.
    pub fn is_behind(&self, commit: CommitId, tip: CommitId) -> Result<bool> {
        if commit == tip {
            return Ok(true);
        }
        let answer = self.inner()?.graph_descendant_of(tip.0, commit.0);
        // Where commits are missing, nobody can tell.
        Ok(answer.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use crate::git::CommitId;
    use crate::git::testing::Sandbox;

    #[test]
    fn a_branch_stood_where_its_first_parents_say() {
        let sandbox = Sandbox::new();
        let dated = |name: &str, seconds: i64| {
            sandbox.write(name, name);
            sandbox.git(&["add", "."]);
            run(&sandbox, &["commit", "-q", "-m", name], seconds)
        };
        let first = dated("first", 1_000_000);
        sandbox.git(&["checkout", "-q", "-b", "side"]);
        let side = dated("side", 2_000_000);
        sandbox.git(&["checkout", "-q", "main"]);
        let second = dated("second", 3_000_000);
        let merge = run(&sandbox, &["merge", "-q", "--no-ff", "-m", "merge", "side"], 4_000_000);
        let id = |text: &str| CommitId::new(text).unwrap();
        let repository = sandbox.repository();
        let stood = |end| repository.last_before(id(&merge), end).unwrap();
        for (end, commit) in [
            (1_000_001, &first),
            (2_500_000, &first),
            (4_000_000, &second),
            (4_000_001, &merge),
            (i64::MAX, &merge),
        ] {
            assert_eq!(stood(end), Some(id(commit)), "{end}");
        }
        assert_eq!(stood(1_000_000), None);
        let base = |one: &str, other: &str| repository.merge_base(id(one), id(other)).unwrap();
        assert_eq!(base(&side, &second), Some(id(&first)));
        assert_eq!(base(&side, &merge), Some(id(&side)));
        let is_behind = |commit: &str, tip: &str| repository.is_behind(id(commit), id(tip)).unwrap();
        assert!(is_behind(&side, &merge) && is_behind(&merge, &merge) && is_behind(&first, &side));
        assert!(!is_behind(&side, &second) && !is_behind(&merge, &first));
    }

    /// Runs a git command that makes a commit at that time; says which.
    fn run(sandbox: &Sandbox, arguments: &[&str], seconds: i64) -> String {
        let mut command = sandbox.command();
        let command = command
            .args(arguments)
            .env("GIT_COMMITTER_DATE", format!("@{seconds} +0000"));
        assert!(command.output().unwrap().status.success());
        sandbox.git(&["rev-parse", "HEAD"])
    }
}
