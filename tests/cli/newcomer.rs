//! The story of somebody new, from the clone to the first value: refused, joined, let in by a reader, at work. Every
//! word that the program says on the way.

use expect_test::expect;

use crate::fixture::edit;
use crate::team::Team;

#[test]
fn a_newcomer_is_at_work_after_four_commands() {
    let mut team = Team::with_policy(
        &["alice", "bob"],
        "# Who is in which team.\ngroups:\n  platform: [alice]   # on call\n  developers: [platform, bob]\n\
         default_environment: dev\nenvironments:\n  dev: {file: secrets/dev.yaml, readers: [developers]}\n  \
         prod: {file: secrets/prod.yaml, readers: [platform]}\nmaintainers: [platform]\n",
    );
    let alice = team.person("alice");
    edit(&alice, "dev", "database_url: postgres://dev\n").run().succeeds();
    team.share(&alice, "values");

    let carol = team.add("carol");
    std::fs::remove_file(carol.identity_file()).unwrap();
    carol.git(["config", "user.name", "Carol Danvers"]).run().succeeds();
    carol.secretree(["run", "--", "env"]).run().check(expect![[r#"
        status: 4
        --- stderr
        error: no identity here can open `dev`
        hint: readers are alice, bob; to join: `secretree join dev`, commit, then one of them runs `secretree apply dev`
    "#]]);
    carol.secretree(["join", "dev"]).run().check(expect![[r#"
        status: 1
        --- stderr
        .secrets.yaml:
          +  carol-danvers: {keys: [age1…]}
          -  developers: [platform, bob]
          +  developers: [platform, bob, carol-danvers]
        `carol-danvers` may then read and change dev
        error: no terminal to ask on: write this?
        hint: `--yes` answers with yes
    "#]]);
    assert!(!carol.identity_file().exists(), "nobody agreed to anything yet");
    carol.git(["status", "--short"]).run().prints("");

    let mut terminal = carol.on_terminal(["join", "dev"]);
    terminal
        .expect("`carol-danvers` may then read and change dev")
        .expect("write this? [y/N] ")
        .send("y\n");
    terminal.finish().check(expect![[r#"
        status: 0
        --- stdout
        .secrets.yaml:
          +  carol-danvers: {keys: [age1…]}
          -  developers: [platform, bob]
          +  developers: [platform, bob, carol-danvers]
        `carol-danvers` may then read and change dev
        write this? [y/N] y
        made your identity in `[SANDBOX]/carol/config/secretree/identity.txt`, keep it safe: age1…
        wrote .secrets.yaml
        next: git switch -c join-carol-danvers && git add .secrets.yaml && git commit -m 'secrets: carol-danvers joins dev' && git push -u origin join-carol-danvers
        then: alice or bob runs `secretree apply dev`, commits and pushes
    "#]]);
    carol.git(["diff", "--numstat"]).run().prints("2\t1\t.secrets.yaml\n");
    carol.git(["switch", "-q", "-c", "join-carol"]).run().succeeds();
    team.share(&carol, "carol joins");
    carol.secretree(["join"]).run().check(expect![[r#"
        status: 0
        --- stderr
        the policy knows you as `carol-danvers`, with all of this
        then: alice or bob runs `secretree apply dev`, commits and pushes
    "#]]);

    let bob = team.person("bob");
    team.update(&bob);
    let applied = bob.secretree(["apply", "dev", "--yes"]).run();
    applied
        .succeeds()
        .says("dev: + carol-danvers (x25519-")
        .says(" of Carol Danvers, 2026-01-05)\nwrote secrets/dev.yaml\n");
    team.share(&bob, "carol reads dev");

    team.update(&carol);
    carol
        .secretree(["run", "--", "sh", "-c", "echo $DATABASE_URL"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stdout
            postgres://dev
            --- stderr
            note: first sight of the key `k…` of `dev` on this machine (commit COMMIT of alice, 2026-01-05): trusted from now on
        "#]]);
    carol.secretree(["join"]).run().check(expect![[r#"
        status: 0
        --- stderr
        the policy knows you as `carol-danvers`, with all of this
        `dev` is open to you: secretree run dev -- CMD
    "#]]);
}
