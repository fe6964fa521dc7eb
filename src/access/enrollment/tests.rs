//! Stories of lists and policies: who is recognised, who is left out, and what is never done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::{Enrollment, KeyText, Proof, Reason};
use crate::crypto::identities::generate_x25519;
use crate::names::RecipientName;
use crate::policy::{LoadedPolicy, Policy, Reach};
use crate::roster::{Person, Roster};
use crate::secret::Secret;

/// Public keys, each another one.
fn keys(count: usize) -> Vec<String> {
    (0..count).map(|_| generate_x25519().1.canonical().to_owned()).collect()
}

/// alice and bob with addresses, carol without, a machine, and a group of groups.
struct Scene {
    loaded: LoadedPolicy,
    keys: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let keys = keys(8);
        let text = format!(
            "version: 1\nid: \"0123456789abcdef0123456789abcdef\"\nrecipients:\n  \
             alice: {{keys: [{}], email: Alice@example.com}}\n  bob: {{keys: [{}], email: bob@example.com}}\n  \
             carol: {{keys: [{}]}}\n  ci: {{keys: [{}], machine: true, email: ci@example.com}}\n\
             groups: {{oncall: [bob], team: [alice, ci, oncall]}}\n\
             environments: {{dev: {{file: d, readers: [team, carol]}}, prod: {{file: p, readers: [oncall]}}}}\n",
            keys[0], keys[1], keys[2], keys[3]
        );
        let loaded = LoadedPolicy {
            root_folder: PathBuf::from("/nowhere"),
            policy: Policy::parse(&text, ".secrets.yaml").unwrap(),
            reach: Reach::Everything,
        };
        Self { loaded, keys }
    }

    /// The plan for `team`, where these texts of keys came.
    fn plan(&self, list: &Value, came: &[(&str, &str)], whole: bool) -> Result<Enrollment, String> {
        let roster = Roster::read(list.to_string().as_bytes()).unwrap();
        let mut source = |person: &Person, _: &RecipientName| {
            let (name, text) = came.iter().find(|(name, _)| *name == person.login)?;
            Some(KeyText {
                shown: format!("{name}.keys"),
                text: Ok(Secret::from(*text)),
            })
        };
        let team = RecipientName::new("team").unwrap();
        Enrollment::plan(&self.loaded, &team, &roster, &mut source, whole).map_err(|error| error.to_string())
    }

    /// The names that join and leave, and who is left out: `+new +known -gone ?out`.
    fn short(&self, list: &Value, came: &[(&str, &str)]) -> String {
        let plan = self.plan(list, came, false).unwrap();
        let joins = plan.joins.iter().map(|joining| format!("+{}", joining.name));
        let leaves = plan.leaves.iter().map(|leaving| format!("-{}", leaving.name));
        let out = plan.left_out.iter().map(|out| format!("?{}", out.shown));
        joins.chain(leaves).chain(out).collect::<Vec<_>>().join(" ")
    }
}

fn logins(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"login": name})).collect()
}

fn users(addresses: &[&str]) -> Value {
    let users: Vec<_> = addresses.iter().map(|address| json!({"userName": address})).collect();
    json!({"totalResults": users.len(), "Resources": users})
}

#[test]
fn people_are_known_by_login_address_or_key() {
    let scene = Scene::new();
    let key = |at: usize| scene.keys[at].as_str();
    assert_eq!(
        scene.short(&logins(&["alice", "bob"]), &[]),
        "",
        "bob is in through oncall"
    );
    assert_eq!(scene.short(&logins(&["Alice", "CAROL"]), &[]), "+carol");
    assert_eq!(
        scene.short(&users(&["aLICE@EXAMPLE.COM", "dave@example.com"]), &[("dave", key(4))]),
        "+dave"
    );
    assert_eq!(
        scene.short(&logins(&["alice", "c4rol"]), &[("c4rol", key(2))]),
        "+carol"
    );
    let plan = scene
        .plan(&logins(&["alice", "c4rol"]), &[("c4rol", key(2))], false)
        .unwrap();
    assert!(matches!(plan.joins[0].proof, Some(Proof::Key(_))));
    let plan = scene
        .plan(&logins(&["alice", "carol"]), &[("carol", key(5))], false)
        .unwrap();
    assert_eq!(plan.joins[0].proof, Some(Proof::Login));
    assert_eq!(plan.other_keys.len(), 1);
    let carol = plan.change.after.policy.people.recipient("carol").unwrap();
    assert_eq!(
        carol.keys[0].canonical(),
        key(2),
        "keys of whoever is there never change"
    );
    assert_eq!(carol.keys.len(), 1);
}

#[test]
fn who_comes_and_who_goes_gains_and_loses() {
    let scene = Scene::new();
    let plan = scene
        .plan(&logins(&["dave"]), &[("dave", &scene.keys[4])], true)
        .unwrap();
    assert_eq!(plan.kept.len(), 2, "the machine and the group");
    let reads = |shifts: &BTreeMap<RecipientName, crate::policy::Access>| {
        let line =
            |(name, access): (&RecipientName, &crate::policy::Access)| format!("{name} {:?}", access.reads.len());
        shifts.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(reads(&plan.gains), "dave 1");
    assert_eq!(reads(&plan.losses), "alice 1");
    let again = Scene {
        loaded: plan.change.after,
        keys: scene.keys.clone(),
    };
    assert_eq!(
        again.short(&logins(&["dave"]), &[]),
        "",
        "the second time there is nothing to do"
    );
    let closed = json!({"totalResults": 2, "Resources": [{"userName": "alice@example.com", "active": false}, {"userName": "bob@example.com"}]});
    let plan = scene.plan(&closed, &[], true).unwrap();
    assert!(plan.leaves[0].inactive && plan.leaves.len() == 1);
}

#[test]
fn look_alikes_get_nothing() {
    let scene = Scene::new();
    let key = scene.keys[4].as_str();
    let came = |login| [(login, key)];
    for (login, list) in [
        ("\u{430}lice", logins(&["alice", "\u{430}lice"])),
        ("team", logins(&["alice", "team"])),
        ("ci", logins(&["alice", "ci"])),
        ("null", logins(&["alice", "null"])),
        ("../x", logins(&["alice", "../x"])),
        ("x\u{202e}y", logins(&["alice", "x\u{202e}y"])),
        ("x\n", logins(&["alice", "x\n"])),
        ("9lives", logins(&["alice", "9lives"])),
    ] {
        let plan = scene.plan(&list, &came(login), false).unwrap();
        assert!(plan.change.is_empty(), "{login:?}");
        assert_eq!(plan.left_out.len(), 1, "{login:?}");
    }
    let list = users(&["alice@example.com", "dave@ex\u{430}mple.com"]);
    let plan = scene.plan(&list, &came("dave"), false).unwrap();
    assert_eq!(plan.left_out[0].reason, Reason::Address);
    let plan = scene
        .plan(&users(&["alice@example.com", "ci@example.com"]), &[], false)
        .unwrap();
    assert!(matches!(plan.left_out[0].reason, Reason::Machine(_)));
}

#[test]
fn doubts_stop_everything() {
    let scene = Scene::new();
    let key = |at: usize| scene.keys[at].as_str();
    for (list, came, reason) in [
        (
            users(&["alice@evil.example", "bob@example.com"]),
            vec![("alice", key(0))],
            "`alice@evil.example` in the list could be `alice`",
        ),
        (
            users(&["alice@example.com", "carol@example.com"]),
            vec![("carol", key(2))],
            "the policy has none for `carol`",
        ),
        (
            json!({"totalResults": 1, "Resources": [{"userName": "al", "emails": [{"value": "al@other"}]}]}),
            vec![("al", key(0))],
            "`al` in the list could be `alice`",
        ),
        (
            users(&["alice@evil.example", "bob@example.com"]),
            vec![("alice", key(4))],
            "`alice@evil.example` in the list could be `alice`",
        ),
        (
            users(&["alice@example.com", "carol@example.com"]),
            vec![("carol", key(4))],
            "the policy has none for `carol`",
        ),
        (users(&["bob@alice", "alice@example.com"]), vec![], "could be `bob`"),
        (
            logins(&["alice", "al"]),
            vec![("al", key(0))],
            "`alice` and `al` in the list would both be `alice`",
        ),
        (
            logins(&["alice", "bob"]),
            vec![("bob", key(0))],
            "could be `alice` and could be `bob`",
        ),
        (
            logins(&["alice", "xa", "xb"]),
            vec![("xa", key(4)), ("xb", key(4))],
            "`xa` and `xb` in the list have the same public key",
        ),
        (
            users(&["alice@example.com", "x@a", "x@b"]),
            vec![("x", key(4))],
            "have the same public key",
        ),
    ] {
        let refusal = scene.plan(&list, &came, true).unwrap_err();
        assert!(refusal.contains(reason), "{refusal} instead of {reason}");
    }
    let mixed = json!({"totalResults": 1, "Resources": [{"userName": "alice", "emails": [{"value": "alice@other"}]}]});
    assert!(scene.plan(&mixed, &[], true).unwrap_err().contains("another address"));
    let unaddressed = scene.plan(&logins(&["alice", "carol"]), &[], false).unwrap();
    let after = Scene {
        loaded: unaddressed.change.after,
        keys: keys(1),
    };
    let refusal = after.plan(&users(&["alice@example.com"]), &[], true).unwrap_err();
    assert!(refusal.contains("the policy has none for `carol`"), "{refusal}");
}

#[test]
fn a_list_that_looks_cut_takes_nobody_out() {
    let scene = Scene::new();
    for (list, reason) in [
        (logins(&[]), "the list has nobody, so 1 person would leave"),
        (users(&[]), "the list has nobody"),
        (logins(&["erin"]), "nobody of `team` is in the list"),
        (
            (0..30).map(|at| json!({"login": format!("p{at}")})).collect(),
            "the last page of the list is full (30 people)",
        ),
    ] {
        let refusal = scene.plan(&list, &[], false).unwrap_err();
        assert!(refusal.contains(reason), "{refusal}");
        assert_eq!(scene.plan(&list, &[], true).unwrap().leaves.len(), 1);
    }
    let full: Value = (0..29)
        .map(|at| json!({"login": format!("p{at}")}))
        .chain([json!({"login": "alice"})])
        .collect();
    assert!(
        scene.plan(&full, &[], false).unwrap().change.is_empty(),
        "nobody would go"
    );
}

#[test]
fn keys_that_are_none_leave_their_person_out() {
    let scene = Scene::new();
    let good = scene.keys[4].as_str();
    let identity = format!("# public key: {good}\nAGE-SECRET-KEY-1CANARY\n");
    for (text, reason) in [
        ("Not Found", "`dave.keys` has a line 1 that is no public key"),
        ("", "`dave.keys` holds no public key"),
        ("ecdsa-sha2-nistp256 AAAA", "`dave.keys` holds no key that can decrypt"),
        (identity.as_str(), "`dave.keys` holds a private key"),
        ("AGE-SECRET-KEY-1CANARY", "`dave.keys` holds a private key"),
    ] {
        let plan = scene
            .plan(&logins(&["alice", "dave"]), &[("dave", text)], false)
            .unwrap();
        assert!(plan.change.is_empty());
        match &plan.left_out[0].reason {
            Reason::Keys(wrong) => assert!(wrong.contains(reason) && !wrong.contains("CANARY"), "{wrong}"),
            other => panic!("{other:?}"),
        }
    }
    let mixed = format!("ecdsa-sha2-nistp256 AAAA\n{good}\n");
    let plan = scene
        .plan(&logins(&["alice", "dave"]), &[("dave", &mixed)], false)
        .unwrap();
    assert_eq!((plan.joins.len(), plan.unusable.len()), (1, 1));
    let plan = scene.plan(&logins(&["alice", "dave"]), &[], false).unwrap();
    assert!(matches!(plan.left_out[0].reason, Reason::NoKeys(_)));
}

#[test]
fn an_environment_never_loses_its_last_reader() {
    let text = format!(
        "version: 1\nid: \"0123456789abcdef0123456789abcdef\"\nrecipients: {{alice: {{keys: [{}]}}}}\n\
         groups: {{team: [alice]}}\nenvironments: {{dev: {{file: d, readers: [team]}}}}\n",
        keys(1)[0]
    );
    let loaded = LoadedPolicy {
        root_folder: PathBuf::from("/nowhere"),
        policy: Policy::parse(&text, ".secrets.yaml").unwrap(),
        reach: Reach::Everything,
    };
    let scene = Scene {
        loaded,
        keys: Vec::new(),
    };
    assert!(scene.plan(&logins(&[]), &[], true).is_err());
}

/// Logins that collide, deceive and fit, each with the number of a key.
fn any_list() -> impl Strategy<Value = Vec<(String, usize)>> {
    let login = "alice|bob|carol|ci|team|oncall|dave|erin|[a-z]{1,3}|\\PC{1,4}";
    vec((login.prop_map(|login| login), 0..8_usize), 0..6)
}

proptest! {
    #[test]
    fn no_list_changes_who_is_there(list in any_list(), files in btree_map("[a-z]{1,6}", any::<bool>(), 0..3), whole in any::<bool>()) {
        let scene = Scene::new();
        let members: Value = list.iter().map(|(login, _)| json!({"login": login})).collect();
        let Ok(roster) = Roster::read(members.to_string().as_bytes()) else { return Ok(()) };
        let mut source = |person: &Person, name: &RecipientName| {
            let at = list.iter().find(|(login, _)| *login == person.login)?.1;
            let broken = files.get(name.as_str()).copied().unwrap_or_default();
            let text = if broken { "Not Found" } else { scene.keys[at].as_str() };
            Some(KeyText { shown: "x.keys".to_owned(), text: Ok(Secret::from(text)) })
        };
        let team = RecipientName::new("team").unwrap();
        let before = &scene.loaded.policy;
        let Ok(plan) = Enrollment::plan(&scene.loaded, &team, &roster, &mut source, whole) else { return Ok(()) };
        let after = &plan.change.after.policy;
        for recipient in before.people.recipients() {
            let still = after.people.recipient(recipient.name.as_str()).unwrap();
            prop_assert_eq!(&still.keys, &recipient.keys);
            prop_assert_eq!(&still.email, &recipient.email);
            prop_assert_eq!(still.machine, recipient.machine);
        }
        let (_, members) = after.people.group(&team).unwrap();
        for kept in ["ci", "oncall"] {
            prop_assert!(members.iter().any(|name| name.as_str() == kept));
        }
        for (group, listed) in before.people.groups().filter(|(group, _)| **group != team) {
            prop_assert_eq!(after.people.group(group).unwrap().1, listed);
        }
        // Whoever reads more was in the list: by name, or by a key that is theirs.
        for name in plan.gains.keys() {
            let named = list.iter().any(|(login, _)| login.to_ascii_lowercase() == name.as_str());
            let keyed = list.iter().any(|(_, at)| {
                let recipient = after.people.recipient(name.as_str()).unwrap();
                recipient.keys.iter().any(|key| key.canonical() == scene.keys[*at])
            });
            prop_assert!(named || keyed, "{}", name);
        }
    }
}
