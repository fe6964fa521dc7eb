//! Several people, one repository: a bare `origin.git` and a clone for each, with a policy that names them.

use std::sync::Arc;

use crate::sandbox::{Person, Sandbox};

/// The `id` of every policy that a team writes.
pub(crate) const POLICY_ID: &str = "5f0c1d2e3b4a59687786a5b4c3d2e1f0";

/// People who clone the same repository.
pub(crate) struct Team {
    sandbox: Arc<Sandbox>,
    people: Vec<Person>,
    names: Vec<String>,
}

impl Team {
    /// A repository whose first commit is a policy with these people as recipients and as readers of `dev` and
    /// `prod`; each has a clone at that commit. No environment file exists yet.
    pub(crate) fn new(names: &[&str]) -> Self {
        let everybody = names.join(", ");
        Self::with_policy(
            names,
            &format!(
                "default_environment: dev\nenvironments:\n  dev: {{file: secrets/dev.yaml, readers: [{everybody}]}}\n  \
                 prod: {{file: secrets/prod.yaml, readers: [{everybody}]}}\n"
            ),
        )
    }

    /// The same with the rest of the policy, everything behind `recipients`, written by the test.
    pub(crate) fn with_policy(names: &[&str], rest: &str) -> Self {
        let sandbox = Sandbox::new();
        let mut team = Self {
            sandbox,
            people: Vec::new(),
            names: Vec::new(),
        };
        let first = team.sandbox.person(names[0]);
        first
            .git(["init", "--quiet", "--bare", "--initial-branch=main"])
            .operand(team.sandbox.root().join("origin.git"))
            .run()
            .succeeds();
        for name in names {
            team.people.push(team.sandbox.person(name));
            team.names.push((*name).to_owned());
        }
        team.clone_of(&first);
        first.write(".secrets.yaml", team.policy(rest));
        team.share(&first, "policy");
        for name in &names[1..] {
            team.clone_of(&team.person(name));
        }
        team
    }

    fn clone_of(&self, person: &Person) {
        person.git(["clone", "--quiet", "../../origin.git", "."]).run().code(0);
    }

    /// Gives somebody who came later a home and a clone of what `origin` holds now; the policy does not name them.
    pub(crate) fn add(&mut self, name: &str) -> Person {
        let person = self.sandbox.person(name);
        self.clone_of(&person);
        self.people.push(person.clone());
        self.names.push(name.to_owned());
        person
    }

    /// One of the team.
    pub(crate) fn person(&self, name: &str) -> Person {
        let position = self.names.iter().position(|known| known == name);
        self.people[position.unwrap_or_else(|| panic!("nobody here is called {name}"))].clone()
    }

    /// The folder, clock and memory of this team.
    pub(crate) fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// A policy with everybody as recipient, and `rest` behind that.
    pub(crate) fn policy(&self, rest: &str) -> String {
        let mut text = format!("version: 1\nid: \"{POLICY_ID}\"\nrecipients:\n");
        for (name, person) in self.names.iter().zip(&self.people) {
            text.push_str(&format!("  {name}: {{keys: [{}]}}\n", person.public_key()));
        }
        text + rest
    }

    /// Commits everything in a person's work folder and pushes it.
    pub(crate) fn share(&self, person: &Person, message: &str) {
        person.commit(message);
        person.git(["push", "--quiet", "origin", "HEAD:main"]).run().code(0);
    }

    /// Pushes what somebody has committed.
    pub(crate) fn share_head(&self, person: &Person) {
        person.git(["push", "--quiet", "origin", "HEAD:main"]).run().code(0);
    }

    /// Brings a person's clone to what `origin` holds.
    pub(crate) fn update(&self, person: &Person) {
        person
            .git(["pull", "--quiet", "--no-rebase", "origin", "main"])
            .run()
            .code(0);
    }
}
