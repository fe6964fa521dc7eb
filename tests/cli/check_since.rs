//! `check --since`: whether changes were made by those who may, and the ways round that an attacker would try. A signature
//! counts by its key, under the policy of the parents.

use secretree::crypto::key::EnvironmentKey;
use secretree::document::tree::{Rules, Tree};
use secretree::value::LineEnd;
use secretree::vault::footer::Footer;

use crate::check_codes::Scene;
use crate::forgery::{Forgery, footer_of, proposal, with_proposal};
use crate::team::POLICY_ID;

/// The findings since the commit that everybody knows, as `CODE FILE`.
#[track_caller]
fn found(scene: &Scene) -> Vec<String> {
    let output = scene.alice.secretree(["check", "--since", "known", "--json"]).run();
    let report: serde_json::Value = serde_json::from_slice(output.stdout_bytes()).expect("the report is JSON");
    let findings = report["findings"].as_array().unwrap().iter();
    let found = findings.map(|one| format!("{} {}", one["code"].as_str().unwrap(), one["file"].as_str().unwrap()));
    found.collect()
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.sign();
    scene
}

#[test]
fn writers_change_environments_maintainers_the_policy_and_all_is_said() {
    let scene = scene();
    scene.set("dev", "database.password", "of-bob-and-alice");
    scene.commit_signed(&scene.bob, &[]);
    scene.change_policy("role api", "role of the api");
    scene.commit_signed(&scene.alice, &[]);
    assert_eq!(found(&scene), [""; 0]);
    // Other files are nobody's business.
    scene.alice.write("README", "unsigned");
    scene.alice.commit("readme");
    assert_eq!(found(&scene), [""; 0]);
    scene.change_policy("role of the api", "role");
    scene.commit_signed(&scene.bob, &[]);
    let output = scene.alice.secretree(["check", "--since", "known"]).run();
    output.code(3);
    let (commit, text) = (scene.alice.git(["rev-parse", "HEAD"]).run().stdout(), output.stdout());
    let expected = format!(
        "error[unauthorised-change]: commit {} of alice, 2026-01-05, changed the policy (`.secrets.yaml`), signed by `bob`, who may not\n  \
         hint: `alice` may: ask who made that commit\n",
        &commit[..8]
    );
    assert_eq!(text, expected);
}

#[test]
fn nobody_gives_himself_the_right_in_the_same_commit_or_a_branch() {
    let scene = scene();
    scene.git(&["switch", "--quiet", "-c", "branch"]);
    scene.change_policy("maintainers: [alice]", "maintainers: [alice, bob]");
    scene.change_policy("writers: [alice], extends", "writers: [alice, bob], extends");
    scene.set("prod", "database.password", "third-password");
    scene.commit_signed(&scene.bob, &[]);
    assert_eq!(
        found(&scene),
        [
            "unauthorised-change .secrets.yaml",
            "unauthorised-change secrets/prod.yaml"
        ]
    );
    // Merged by somebody who may, what the branch did is still what the branch did.
    scene.git(&["switch", "--quiet", "main"]);
    scene.git(&["merge", "--quiet", "--no-ff", "--no-edit", "branch"]);
    assert_eq!(found(&scene).len(), 2);
}

#[test]
fn a_name_counts_for_nothing_and_neither_does_a_key_that_a_branch_calls_alices() {
    let scene = scene();
    scene.set("prod", "database.password", "third-password");
    scene.git(&["add", "--all"]);
    let key = scene.bob.folder().join("home/.ssh/signing");
    let setting = format!("user.signingkey={}", key.display());
    let forged = [
        "-c",
        "user.name=alice",
        "-c",
        "user.email=alice@example.com",
        "-c",
        "gpg.format=ssh",
        "-c",
        &setting,
    ];
    scene.git(&[&forged[..], &["commit", "--quiet", "-S", "-m", "alice's"]].concat());
    assert_eq!(found(&scene), ["unauthorised-change secrets/prod.yaml"]);
}

#[test]
fn a_history_of_its_own_brings_nothing_in() {
    let scene = scene();
    let prod = scene.alice.read("secrets/prod.yaml");
    scene.git(&["checkout", "--quiet", "--orphan", "stranger"]);
    scene.git(&["rm", "-rf", "--quiet", "--cached", "."]);
    scene.git(&["clean", "-fdq"]);
    scene.alice.write("secrets/prod.yaml", prod);
    scene.write_policy("environments: {prod: {file: secrets/prod.yaml, readers: [bob]}}\n");
    scene.alice.commit("a new beginning");
    scene.git(&["switch", "--quiet", "main"]);
    scene.git(&[
        "merge",
        "--quiet",
        "--no-edit",
        "--allow-unrelated-histories",
        "-X",
        "theirs",
        "stranger",
    ]);
    let found = found(&scene);
    for expected in [
        "unauthorised-change .secrets.yaml",
        "unauthorised-change secrets/prod.yaml",
    ] {
        assert!(found.iter().any(|one| one == expected), "{found:?}");
    }
}

#[test]
fn what_a_merge_changes_itself_is_signed_by_who_made_it() {
    let scene = scene();
    scene.git(&["switch", "--quiet", "-c", "branch"]);
    scene.set("dev", "database.user", "second");
    scene.commit_signed(&scene.bob, &[]);
    scene.git(&["switch", "--quiet", "main"]);
    scene.set("prod", "database.password", "third-password");
    scene.commit_signed(&scene.alice, &[]);
    scene.git(&["merge", "--quiet", "--no-commit", "--no-ff", "branch"]);
    scene.git(&["commit", "--quiet", "--no-edit"]);
    assert_eq!(
        found(&scene),
        [""; 0],
        "a merge that changes nothing itself needs no signature"
    );
    scene.set("prod", "database.password", "fourth-password");
    scene.git(&["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    assert_eq!(found(&scene), ["unsigned-change secrets/prod.yaml"]);
}

#[test]
fn whoever_cannot_write_may_propose() {
    let scene = scene();
    let propose = scene.bob.secretree(["set", "prod", "database.password"]);
    propose.inside("../../alice/work").input("third-password").run().code(0);
    scene.alice.commit("a proposal");
    assert_eq!(found(&scene), ["proposal-pending secrets/prod.yaml"]);
}

#[test]
fn a_proposal_carries_nothing_else() {
    let scene = scene();
    let prod = "secrets/prod.yaml";
    // As anybody can write it who has the file.
    let propose = |value: &str| {
        let text = scene.alice.read_text(prod);
        let path = "[\"database\",\"password\"]";
        let file = proposal(&footer_of(&text).drop_box, POLICY_ID, "prod", path, value);
        scene.alice.write(prod, with_proposal(&text, &file));
    };
    scene.run(&["apply", "prod", "--new-key", "--yes"], "");
    propose("third-password");
    scene.commit_signed(&scene.alice, &[]);
    scene.git(&["tag", "--force", "known"]);
    let first = footer_of(&scene.alice.read_text(prod));
    let first = first.proposals.keys().next().expect("it was just proposed").clone();
    let ways: [&dyn Fn(&mut Footer); 4] = [
        &|footer| footer.follows.clear(),
        &|footer| {
            let other = EnvironmentKey::generate();
            let grants = Forgery::with_key("prod", POLICY_ID, other).granted_to(&[&scene.alice]);
            footer.grants = footer_of(&grants.text()).grants;
        },
        &|footer| drop(footer.proposals.remove(&first)),
        &|footer| footer.final_newline = false,
    ];
    for (number, change) in ways.iter().enumerate() {
        propose("fourth-password");
        let text = scene.alice.read_text(prod);
        let tree = Tree::parse(&text, Rules::File).unwrap();
        let mut footer = footer_of(&text);
        change(&mut footer);
        scene
            .alice
            .write(prod, format!("{}{}", tree.body(), footer.write(LineEnd::Lf)));
        scene.alice.commit("a proposal");
        assert!(
            found(&scene).contains(&format!("unsigned-change {prod}")),
            "{number}: {:?}",
            found(&scene)
        );
        scene.git(&["reset", "--quiet", "--hard", "known"]);
    }
    propose("fourth-password");
    let text = scene.alice.read_text(prod);
    scene.alice.write(prod, format!("# a comment\n{text}"));
    scene.alice.commit("a proposal");
    assert!(found(&scene).contains(&format!("unsigned-change {prod}")));
    // Two people who propose side by side, and the merge of both.
    scene.git(&["reset", "--quiet", "--hard", "known"]);
    propose("fourth-password");
    scene.alice.commit("a proposal");
    scene.git(&["switch", "--quiet", "-c", "side", "known"]);
    propose("fifth-password");
    scene.alice.commit("another");
    let both = footer_of(&scene.alice.read_text(prod)).proposals;
    scene.git(&["merge", "--quiet", "--no-commit", "-s", "ours", "main"]);
    scene.git(&["checkout", "--quiet", "main", "--", prod]);
    let text = scene.alice.read_text(prod);
    let tree = Tree::parse(&text, Rules::File).unwrap();
    let mut footer = footer_of(&text);
    footer.proposals.extend(both);
    scene
        .alice
        .write(prod, format!("{}{}", tree.body(), footer.write(LineEnd::Lf)));
    scene.alice.commit("merge");
    assert_eq!(found(&scene), ["proposal-pending secrets/prod.yaml"; 3]);
}

#[test]
fn a_branch_does_not_excuse_itself() {
    let scene = scene();
    let waiver = "check: {waive: [{code: unsigned-change, at: \"**\", until: 2999-12-31, reason: in a hurry}]}";
    scene.change_policy("secrets:\n", &format!("{waiver}\nsecrets:\n"));
    scene.set("prod", "database.password", "third-password");
    scene.alice.commit("unsigned, and waived");
    assert_eq!(
        found(&scene),
        ["unsigned-change .secrets.yaml", "unsigned-change secrets/prod.yaml"]
    );
    // What is believed already may hold a waiver, which counts for what comes later.
    scene.git(&["tag", "--force", "known"]);
    scene.set("prod", "database.password", "fourth-password");
    scene.alice.commit("unsigned");
    assert_eq!(found(&scene), [""; 0]);
    let output = scene.alice.secretree(["check", "--since", "known", "-v"]).run();
    output
        .code(0)
        .says("waived[unsigned-change] until 2999-12-31 (in a hurry): commit ");
}

#[test]
fn a_revision_that_is_none_is_a_failure() {
    let scene = Scene::new();
    let output = scene.alice.secretree(["check", "--since", "nowhere"]).run();
    output.code(1).says("`nowhere` names no commit here");
}
