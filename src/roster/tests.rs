//! Lists as forges and identity providers give them, and what nobody should take for one.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::{Person, Roster};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn read(documents: &[Value]) -> Result<Roster, String> {
    let text: Vec<_> = documents.iter().map(Value::to_string).collect();
    Roster::read(text.join("\n").as_bytes()).map_err(|error| error.to_string())
}

/// A whole SCIM list of these.
fn scim(resources: &Value) -> Value {
    let total = resources.as_array().unwrap().len();
    json!({"schemas": [LIST], "totalResults": total, "Resources": resources})
}

fn user(name: &str, address: &str) -> Value {
    json!({"id": format!("id-{name}"), "userName": name, "emails": [{"value": address, "primary": true}], "active": true})
}

/// Each person as `login[+] addresses`, `+` for a login of their own and `-` for a closed account.
fn shown(roster: &Roster) -> Vec<String> {
    let line = |person: &Person| {
        let own = if person.has_login { "+" } else { "" };
        let closed = if person.active { "" } else { "-" };
        format!("{}{own}{closed} {}", person.login, person.addresses.join(" "))
            .trim_end()
            .to_owned()
    };
    roster.people.iter().map(line).collect()
}

fn people(documents: &[Value]) -> Vec<String> {
    shown(&read(documents).unwrap())
}

#[test]
fn members_of_a_forge_come_in_one_array_or_several() {
    let page = |logins: &[&str]| {
        logins
            .iter()
            .map(|login| json!({"login": login, "type": "User"}))
            .collect::<Value>()
    };
    for documents in [
        vec![page(&["ada", "Bob-L"])],
        vec![page(&["ada"]), page(&["Bob-L"])],
        vec![json!([page(&["ada"]), page(&["Bob-L"])])],
        vec![json!([page(&["ada", "Bob-L"]), []])],
    ] {
        assert_eq!(people(&documents), ["ada+", "Bob-L+"], "{documents:?}");
    }
    assert!(people(&[json!([])]).is_empty() && people(&[json!([[]])]).is_empty());
    let full = |count: usize| {
        (0..count)
            .map(|at| json!({"login": format!("p{at}")}))
            .collect::<Value>()
    };
    for (documents, full_page) in [
        (vec![full(30)], Some(30)),
        (vec![full(29)], None),
        (vec![full(100)], Some(100)),
        (vec![full(30), page(&["ada"])], None),
        (vec![json!([page(&["ada"]), full(30)])], Some(30)),
    ] {
        assert_eq!(read(&documents).unwrap().full_page, full_page);
    }
}

#[test]
fn users_of_scim_are_known_by_their_addresses() {
    let users = json!([
        user("ada", "Ada@Example.com"),
        {"userName": "bob@example.com", "displayName": "Bob"},
        {"USERNAME": "carol@corp", "Emails": [{"value": "c@example.com"}, {"value": "C@example.com", "type": "home"}, {"value": ""}]},
        {"userName": "dave@x.example", "active": false, "emails": [{"value": "other@x", "primary": false}, {"value": "dave@x", "primary": true}]},
        {"userName": "erin", "emails": null, "active": null},
    ]);
    assert_eq!(
        people(&[scim(&users)]),
        [
            "ada+ Ada@Example.com",
            "bob bob@example.com",
            "carol c@example.com carol@corp",
            "dave- dave@x dave@x.example",
            "erin+",
        ]
    );
    assert!(people(&[json!({"schemas": [LIST], "totalResults": 0})]).is_empty());
}

#[test]
fn a_group_of_scim_is_its_members() {
    let group = |members: Value| scim(&json!([{"schemas": [GROUP], "displayName": "Team", "members": members}]));
    let users = scim(
        &json!([user("ada@x", "ada@x"), user("bob@x", "bob@x"), {"userName": "eve@x", "id": "e", "active": false}]),
    );
    let by_id = group(json!([{"value": "id-bob@x", "display": "eve@x"}, {"value": "e"}]));
    assert_eq!(people(&[users.clone(), by_id.clone()]), ["bob bob@x", "eve- eve@x"]);
    assert_eq!(people(&[by_id, users.clone()]), ["bob bob@x", "eve- eve@x"]);
    assert_eq!(
        people(&[group(json!([{"value": "1", "display": "carol@x"}]))]),
        ["carol carol@x"]
    );
    assert!(
        people(&[
            scim(&json!([{"schemas": [GROUP], "displayName": "Team"}])),
            users.clone()
        ])
        .is_empty()
    );
    for (documents, reason) in [
        (
            vec![group(json!([{"value": "1", "display": "Carol"}]))],
            "nothing tells the address of its member 1",
        ),
        (
            vec![users.clone(), group(json!([{"value": "id-ada@x"}, {"value": "gone"}]))],
            "address of its member 2",
        ),
        (
            vec![group(json!([{"value": "1", "type": "Group", "display": "a@x"}]))],
            "a group as member 1",
        ),
        (vec![group(json!([{"display": "a@x"}]))], "no `value` in entry 1"),
        (
            vec![group(json!([{"value": 7, "display": "a@x"}]))],
            "`value` in entry 1 that is no string",
        ),
        (vec![group(json!(["1"]))], "no `value` in entry 1"),
        (vec![group(json!({"value": "1"}))], "`members` that are no list"),
        (vec![scim(&json!([{"members": []}, {"members": []}]))], "2 groups"),
        (
            vec![group(
                json!([{"value": "1", "display": "a@x"}, {"value": "2", "display": "A@X"}]),
            )],
            "lists `A@X` twice",
        ),
        (
            vec![
                scim(&json!([{"id": "1", "userName": "a"}, {"id": "1", "userName": "b"}])),
                group(json!([])),
            ],
            "one `id`",
        ),
    ] {
        let refusal = read(&documents).unwrap_err();
        assert!(refusal.contains(reason), "{refusal} instead of {reason}");
    }
}

#[test]
fn a_part_of_a_list_is_refused() {
    let page = |total: Value, names: &[&str]| {
        let users: Vec<_> = names.iter().map(|name| user(name, &format!("{name}@x"))).collect();
        json!({"schemas": [LIST], "totalResults": total, "itemsPerPage": names.len(), "Resources": users})
    };
    assert_eq!(people(&[page(json!(3), &["a", "b"]), page(json!(3), &["c"])]).len(), 3);
    for (documents, reason) in [
        (vec![page(json!(3), &["a", "b"])], "2 of 3 users"),
        (vec![page(json!(1), &["a", "b"])], "2 of 1 users"),
        (vec![page(json!(7), &[])], "0 of 7 users"),
        (
            vec![page(json!(3), &["a", "b"]), page(json!(4), &["c"])],
            "differ about `totalResults`",
        ),
        (vec![page(json!(2), &["a"]), page(json!(2), &["a"])], "lists `a` twice"),
        (vec![page(json!("1"), &["a"])], "`totalResults` that is no number"),
        (vec![page(json!(-1), &["a"])], "`totalResults` that is no number"),
        (vec![page(json!(1.0), &["a"])], "`totalResults` that is no number"),
        (vec![page(json!(null), &["a"])], "neither a SCIM list"),
    ] {
        let refusal = read(&documents).unwrap_err();
        assert!(refusal.contains(reason), "{refusal} instead of {reason}");
    }
}

#[test]
fn two_who_could_be_taken_for_each_other_are_refused() {
    for (documents, who) in [
        (vec![json!([{"login": "ada"}, {"login": "Ada"}])], "Ada"),
        (vec![scim(&json!([user("a", "x@x"), user("b", "X@x")]))], "b"),
        (vec![scim(&json!([user("a", "x@x"), {"userName": "X@X"}]))], "X@X"),
    ] {
        assert_eq!(read(&documents).unwrap_err(), format!("lists `{who}` twice"));
    }
    // Whoever came back has an account that is closed, and one that is not.
    let back = json!([{"userName": "a@x", "active": false}, {"userName": "a2", "emails": [{"value": "a@x"}]}]);
    assert_eq!(people(&[scim(&back)]), ["a- a@x", "a2+ a@x"]);
    // What merely looks alike is another.
    let alike = json!([user("a", "ada@x"), user("b", "\u{430}da@x"), user("c", "ada@x.")]);
    assert_eq!(people(&[scim(&alike)]).len(), 3);
}

#[test]
fn what_is_no_list_is_refused_and_never_repeated() {
    let one = |user: Value| vec![scim(&json!([user]))];
    let long = "canary".repeat(50);
    for (documents, reason) in [
        (
            vec![json!({"message": "canary", "status": "404"})],
            "neither a SCIM list",
        ),
        (vec![json!("canary")], "neither a SCIM list"),
        (vec![json!({"database": {"password": "canary"}})], "neither a SCIM list"),
        (vec![json!(["canary"])], "entry 1 that is no object"),
        (vec![json!([{"login": "ada"}, ["canary"]])], "entry 2 that is no object"),
        (vec![json!([{"name": "canary"}])], "no `login` in entry 1"),
        (vec![json!([{"login": 7}])], "`login` in entry 1 that is no string"),
        (
            vec![json!([{"login": ["canary"]}])],
            "`login` in entry 1 that is no string",
        ),
        (vec![json!([{"login": ""}])], "empty or longer"),
        (vec![json!([{"login": long}])], "empty or longer"),
        (vec![json!([]), scim(&json!([]))], "mixes"),
        (one(json!({"displayName": "canary"})), "entry 1 that is neither a user"),
        (one(json!("canary")), "entry 1 that is neither a user"),
        (one(json!({"userName": 1})), "`userName` in entry 1 that is no string"),
        (one(json!({"userName": "a", "active": "canary"})), "`active` in entry 1"),
        (one(json!({"userName": "a", "active": 0})), "`active` in entry 1"),
        (
            one(json!({"userName": "a", "emails": "canary@x"})),
            "`emails` in entry 1",
        ),
        (
            one(json!({"userName": "a", "emails": ["canary@x"]})),
            "`emails` in entry 1",
        ),
        (
            one(json!({"userName": "a", "emails": [{"value": "canary"}]})),
            "`emails` in entry 1",
        ),
        (
            one(json!({"userName": "a", "emails": [{"value": "canary\u{7}@x"}]})),
            "`emails` in entry 1",
        ),
        (
            one(json!({"userName": "a", "emails": [{"value": "a@x", "primary": "canary"}]})),
            "`emails` in entry 1",
        ),
        (
            one(
                json!({"userName": "a", "emails": [{"value": "a@x", "primary": true}, {"value": "b@x", "primary": true}]}),
            ),
            "several primary",
        ),
        (
            vec![json!({"totalResults": 1, "Resources": {"userName": "canary"}})],
            "`Resources` that are no list",
        ),
        (
            vec![scim(&json!([user("a", "a@x"), {"members": []}]))],
            "users and groups in one list",
        ),
    ] {
        let refusal = read(&documents).unwrap_err();
        assert!(refusal.contains(reason), "{refusal} instead of {reason}");
        assert!(!refusal.contains("canary"), "{refusal}");
    }
    for text in ["", " \n", "\u{feff}"] {
        assert!(
            Roster::read(text.as_bytes())
                .unwrap_err()
                .to_string()
                .starts_with("is empty")
        );
    }
    assert!(Roster::read(b"[{\"login\": \"\xff\"}]").is_err());
}

#[test]
fn ten_thousand_people_are_read() {
    let users: Vec<_> = (0..10_000)
        .map(|at| user(&format!("p{at}"), &format!("p{at}@x")))
        .collect();
    assert_eq!(people(&[scim(&json!(users))]).len(), 10_000);
}

/// JSON of every kind, made of the words that matter.
fn any_json() -> impl Strategy<Value = Value> {
    let word = "userName|emails|login|members|Resources|totalResults|active|primary|value|a@b|\\PC{0,4}";
    let leaf = (any::<u8>(), word, any::<i64>()).prop_map(|(kind, text, number)| match kind % 6 {
        0 => Value::Null,
        1 => json!(number % 2 == 0),
        2 => json!(number % 4),
        3 => json!(number),
        _ => json!(text),
    });
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let object = vec((word, inner.clone()), 0..6).prop_map(|members| Value::Object(members.into_iter().collect()));
        proptest::prop_oneof![vec(inner, 0..6).prop_map(Value::Array), object]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Roster::read(&bytes);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[\\[\\]{}:,\"\\\\u0-9dloginuserName. \n]{0,60}") {
        let _ = Roster::read(text.as_bytes());
    }

    #[test]
    fn any_json_is_a_list_of_distinct_people_or_refused(documents in vec(any_json(), 0..4)) {
        if let Ok(roster) = read(&documents) {
            let mut marks: Vec<_> = roster.active().flat_map(Person::folded_addresses).collect();
            let count = marks.len();
            marks.sort();
            marks.dedup();
            prop_assert_eq!(marks.len(), count);
            prop_assert!(roster.people.iter().all(|person| !person.login.is_empty()));
        }
    }

    #[test]
    fn pages_join_to_the_whole(names in proptest::collection::btree_set("[a-z]{1,8}", 1..30), cut in 0..30_usize) {
        let names: Vec<_> = names.into_iter().collect();
        let page = |names: &[String]| {
            let users: Vec<_> = names.iter().map(|name| user(name, &format!("{name}@x"))).collect();
            json!({"totalResults": 0, "Resources": users})
        };
        let (first, second) = names.split_at(cut.min(names.len()));
        let mut pages = vec![page(first), page(second)];
        for page in &mut pages {
            page["totalResults"] = json!(names.len());
        }
        prop_assert_eq!(people(&pages).len(), names.len());
        if !second.is_empty() {
            prop_assert!(read(&pages[..1]).is_err());
        }
    }
}
