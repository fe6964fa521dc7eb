//! `proposals` against those who may write the repository and read nothing: junk is named and thrown out, what was put
//! back or hung elsewhere is seen, and who proposed a value is not forgotten.

use secretree::crypto::key::EnvironmentKey;

use crate::canary::Canary;
use crate::fixture::changes_nothing;
use crate::forgery::{
    Forgery, assert_gets, clone_of, footer_of, key_held_by, proposal, sealed_to, set, shallow_clone_of, with_proposal,
};
use crate::proposals::{FILE, labels, proposed, team, team_with};
use crate::sandbox::Person;
use crate::team::POLICY_ID;

/// What `proposals` says of the one proposal there is.
#[track_caller]
fn listed(person: &Person) -> String {
    let stdout = person.secretree(["proposals", "dev"]).run().succeeds().stdout();
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    stdout
}

#[test]
fn junk_is_named_and_thrown_out() {
    let (team, alice, _, carol) = team_with("secrets:\n  whole: {description: one value}\n");
    set(&alice, "dev", "list", "x").succeeds();
    set(&alice, "dev", "tree.leaf", "x").succeeds();
    team.share(&alice, "more values");
    team.update(&carol);
    let canary = Canary::new();
    let drop_box = footer_of(&carol.read_text(FILE)).drop_box;
    let value = canary.value();
    let of_dev = |path: &str, value: &str| proposal(&drop_box, POLICY_ID, "dev", path, value);
    let token = footer_of(&carol.read_text(FILE)).all_grants().count().to_string();
    let shaped = format!("ENC[age,k0123456789abcdef,v01234567,{token}]");
    let deep = format!("[{}\"a\"]", "\"a\",".repeat(70));
    let json = format!("{{\"type\":\"proposal\",\"value\":\"{value}\"}}");
    let junk = [
        (
            "sealed under another key",
            proposal(
                EnvironmentKey::generate().drop_box(),
                POLICY_ID,
                "dev",
                "[\"a\"]",
                value,
            ),
        ),
        (
            "it was made for `prod`",
            proposal(&drop_box, POLICY_ID, "prod", "[\"a\"]", value),
        ),
        (
            "it was made for the policy `11111111111111111111111111111111`",
            proposal(&drop_box, &"1".repeat(32), "dev", "[\"a\"]", value),
        ),
        ("a collection stands at `tree`", of_dev("[\"tree\"]", value)),
        (
            "`db.below` lies below the value `db`",
            of_dev("[\"db\",\"below\"]", value),
        ),
        ("`whole.x` lies below `whole`", of_dev("[\"whole\",\"x\"]", value)),
        ("its path holds control characters", of_dev("[\"a\\u001b[2J\"]", value)),
        ("it names no place", of_dev("[]", value)),
        ("nested too deep", of_dev(&deep, value)),
        ("is the footer's place", of_dev("[\"secretree\",\"drop_box\"]", value)),
        ("has the shape of an encrypted token", of_dev("[\"a\"]", &shaped)),
        (
            "its plaintext is not canonical JSON of its kind",
            sealed_to(&drop_box, json.as_bytes()),
        ),
        (
            "its plaintext is not canonical JSON of its kind",
            sealed_to(&drop_box, value.as_bytes()),
        ),
    ];
    let mut text = carol.read_text(FILE);
    for (_, file) in &junk {
        text = with_proposal(&text, file);
    }
    carol.write(FILE, &text);
    proposed(&team, &carol, &alice, &[("good", value)]);
    let output = changes_nothing(alice.secretree(["proposals"]));
    let stdout = output.succeeds().stdout();
    for (reason, file) in &junk {
        let label = secretree::crypto::proposal::ProposalLabel::of(file).to_string();
        let line = stdout.lines().find(|line| line.starts_with(&label)).unwrap();
        assert!(line.contains(" junk ") && line.contains("of carol"), "{line}");
        assert!(line.contains(reason), "{reason}: {line}");
        let accept = alice.secretree(["proposals", "accept", "dev", &label, "--yes", "--raw"]);
        changes_nothing(accept)
            .code(1)
            .says("is junk")
            .says(&format!("reject dev {label}"));
    }
    assert!(!stdout.contains('\u{1b}'));
    output.says("13 proposals cannot be accepted: `secretree proposals reject dev --junk`");
    // What is good is not held up by it.
    alice
        .secretree(["proposals", "accept", "dev", "--all", "--yes"])
        .run()
        .succeeds();
    let get = alice.secretree(["get", "dev", "good"]).reveals().run();
    get.succeeds().prints(value);
    let before = alice.read_text(FILE);
    let one = labels(&alice).remove(0);
    alice.secretree(["proposals", "reject", "dev", &one]).run().succeeds();
    alice
        .secretree(["proposals", "reject", "dev", "--junk"])
        .run()
        .succeeds();
    assert!(labels(&alice).is_empty());
    let (kept, after) = (before.split("  proposals:\n").next(), alice.read_text(FILE));
    assert_eq!(kept, Some(after.as_str()), "all else keeps its bytes");
    canary.assert_unseen(team.sandbox(), &[]);
}

#[test]
fn who_proposed_is_not_forgotten_when_a_new_key_seals_it_anew() {
    let (mut team, alice, bob, carol) = team();
    proposed(&team, &carol, &alice, &[("api.key", "x")]);
    let first = labels(&alice);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    assert_ne!(labels(&alice), first, "it is sealed anew");
    assert!(listed(&alice).contains("of carol"), "before it is committed");
    team.share(&alice, "new key");
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    team.share(&alice, "and another");
    team.update(&bob);
    for person in [&alice, &bob] {
        let line = listed(person);
        assert!(line.contains("of carol") && !line.contains("of alice"), "{line}");
    }
    // Who cannot open what was there before is told so, and not that alice proposed it.
    let dora = team.add("dora");
    let policy = alice.read_text(".secrets.yaml");
    let policy = policy.replace(
        "recipients:\n",
        &format!("recipients:\n  dora: {{keys: [{}]}}\n", dora.public_key()),
    );
    alice.write(
        ".secrets.yaml",
        policy.replace("readers: [alice, bob]", "readers: [alice, bob, dora]"),
    );
    alice.secretree(["apply", "dev", "--yes", "--new-key"]).run().succeeds();
    team.share(&alice, "dora");
    team.update(&dora);
    let line = listed(&dora);
    assert!(
        line.contains("of alice") && line.contains("sealed it for a new key"),
        "{line}"
    );
    let line = listed(&carol);
    assert!(line.contains("of carol"), "her clone is as it was: {line}");
    team.update(&carol);
    assert!(listed(&carol).contains("sealed it for a new key"));
}

#[test]
fn a_proposal_that_is_put_back_is_said_to_be() {
    let (mut team, alice, bob, carol) = team();
    proposed(&team, &carol, &alice, &[("db", "old")]);
    let file = secretree_file(&carol);
    alice.secretree(["proposals", "reject", "dev", "db"]).run().succeeds();
    team.share(&alice, "rejected");
    team.update(&bob);
    // Whoever may write can bring it back to the byte; that it is carol's remains, and that it was out is said.
    bob.write(FILE, with_proposal(&bob.read_text(FILE), &file));
    let line = listed(&bob);
    assert!(
        line.contains("of carol") && line.contains("put back since, not committed"),
        "{line}"
    );
    team.share(&bob, "tidy");
    team.update(&alice);
    let line = listed(&alice);
    assert!(
        line.contains("of carol") && line.contains("put back by commit") && line.contains("of bob"),
        "{line}"
    );
    changes_nothing(alice.secretree(["proposals", "accept", "dev", "db"]))
        .code(1)
        .says("put back by commit");
    let shallow = shallow_clone_of(&mut team, &alice, "shallow");
    assert!(
        listed(&shallow).contains("of bob, 2026-01-05 or earlier"),
        "{}",
        listed(&shallow)
    );
}

/// The age file of the one proposal.
fn secretree_file(person: &Person) -> Vec<u8> {
    let footer = footer_of(&person.read_text(FILE));
    let file = footer.proposals.values().next().expect("there is one");
    secretree::crypto::envelope::from_base64(file, 1 << 20).unwrap()
}

#[test]
fn a_proposal_is_not_hung_under_another_path_or_environment() {
    let (team, alice, _, carol) = team();
    set(&alice, "prod", "db", "real").succeeds();
    team.share(&alice, "prod");
    team.update(&carol);
    proposed(&team, &carol, &alice, &[("harmless", "x")]);
    let file = secretree_file(&carol);
    // Nothing outside of the seal names the path: a new name for it is refused with the whole file.
    let text = alice.read_text(FILE);
    let label = labels(&alice).remove(0);
    alice.write(FILE, text.replace(&label, "p0123456789abcdef"));
    changes_nothing(alice.secretree(["proposals", "dev"]))
        .code(5)
        .says("not that of its proposal");
    // Under another environment it does not open.
    alice.write(FILE, &text);
    let prod = "secrets/prod.yaml";
    alice.write(prod, with_proposal(&alice.read_text(prod), &file));
    let output = changes_nothing(alice.secretree(["proposals", "prod"]));
    assert!(output.succeeds().stdout().contains(" junk "), "{}", output.stdout());
    changes_nothing(alice.secretree(["proposals", "accept", "prod", &label, "--yes"])).code(1);
    changes_nothing(alice.secretree(["proposals", "accept", "prod", "harmless", "--yes"])).code(1);
    alice
        .secretree(["proposals", "accept", "dev", "harmless", "--yes"])
        .run()
        .succeeds();
    assert_gets(&alice, "dev", "harmless", "x");
    assert_gets(&alice, "prod", "db", "real");
}

#[test]
fn authors_and_paths_do_not_draw_on_the_terminal() {
    let (team, alice, _, carol) = team();
    carol
        .git(["config", "user.name", "\u{1b}[2Jcarol\u{202e}"])
        .run()
        .succeeds();
    let drop_box = footer_of(&carol.read_text(FILE)).drop_box;
    let file = proposal(&drop_box, POLICY_ID, "dev", "[\"a\u{202e}b\u{200b}\"]", "x");
    carol.write(FILE, with_proposal(&carol.read_text(FILE), &file));
    team.share(&carol, "proposal");
    team.update(&alice);
    let list = alice.secretree(["proposals"]).run();
    let label = labels(&alice).remove(0);
    let plan = alice.secretree(["proposals", "accept", "dev", &label]).run();
    let done = alice
        .secretree(["proposals", "accept", "dev", &label, "--yes", "--commit"])
        .run();
    for output in [&list, &plan, &done] {
        let text = output.stdout() + &output.stderr();
        assert!(
            text.contains("carol") && !text.contains(['\u{1b}', '\u{202e}', '\u{200b}']),
            "{text}"
        );
    }
    done.succeeds();
}

#[test]
fn under_a_key_that_is_not_trusted_nothing_is_taken_or_thrown_out() {
    let (mut team, alice, bob, carol) = team();
    proposed(&team, &carol, &alice, &[("api.key", "x")]);
    let text = carol.read_text(FILE);
    let forgery = Forgery::of_dev().granted_to(&[&alice, &bob]).with_proposals_of(&text);
    carol.write(FILE, forgery.text());
    team.share(&carol, "rotate");
    team.update(&alice);
    let refused = |person: &Person, words: &str| {
        let label = labels(person).remove(0);
        for operands in [
            &["list", "dev"] as &[&str],
            &["accept", "dev", &label, "--yes"],
            &["reject", "dev", &label],
            &["reject", "dev", "--junk"],
        ] {
            let run = operands
                .iter()
                .fold(person.secretree(["proposals"]), |run, operand| run.operand(*operand));
            changes_nothing(run).code(5).says(words).prints("");
        }
    };
    refused(&alice, "is not trusted");
    // A file under a key that was replaced.
    alice.git(["reset", "--quiet", "--hard", "HEAD~1"]).run().succeeds();
    let old = key_held_by(&bob, &text);
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    alice.commit("new key");
    let back = Forgery::with_key("dev", POLICY_ID, old).granted_to(&[&alice, &bob]);
    alice.write(FILE, back.with_proposals_of(&text).text());
    refused(&alice, "replaced (commit");
    let fresh = clone_of(&mut team, &alice, "fresh");
    refused(&fresh, "is not trusted");
    // Who reads nothing takes nothing back there either: that would note the key as trusted.
    team.update(&carol);
    let label = labels(&carol).remove(0);
    changes_nothing(carol.secretree(["proposals", "reject", "dev", &label])).code(4);
    set(&carol, "dev", "api.key", "typed")
        .code(1)
        .says("no terminal to ask on");
}
