//! What a policy answers: who reads and writes, what is declared, what a placeholder stands for.

use std::collections::BTreeMap;
use std::path::Path;

use super::{KEY, KEY2, KEY3, PLACEHOLDER, SSH, environment, failure_of, names, path, policy, story};
use crate::names::EnvironmentName;
use crate::policy::{Folders, Policy, PolicyFile, RotatorMethod, Setting};

#[test]
fn readers_are_found_through_groups_and_machines_do_not_write() {
    let policy = policy(
        "environments:\n  dev: {file: d.yaml, readers: [developers, ci]}\n  prod: {file: p.yaml, readers: [platform, ci], writers: [ci, bob]}\n",
    );
    let (dev, prod) = (environment(&policy, "dev"), environment(&policy, "prod"));
    assert_eq!(names(policy.readers(dev)), ["alice", "bob", "carol", "ci"]);
    assert_eq!(names(policy.writers(dev)), ["alice", "bob", "carol"]);
    assert_eq!(names(policy.writers(prod)), ["bob", "ci"]);
    assert_eq!(names(policy.maintainers()), ["bob"]);
    let keys: Vec<&str> = policy
        .reader_keys(prod)
        .into_iter()
        .map(|(_, key)| key.canonical())
        .collect();
    assert_eq!(keys, [KEY, KEY2, KEY3]);
    assert_eq!(policy.people.recipient("carol").unwrap().signing_keys, [SSH]);
}

#[test]
fn maintainers_can_be_named() {
    let policy = policy("maintainers: [developers]\n");
    assert_eq!(names(policy.maintainers()), ["alice", "bob", "carol"]);
}

#[test]
fn declarations_are_found_most_specific_first() {
    let policy = policy(
        "environments: {dev: {file: d, readers: [bob]}, prod: {file: p, readers: [bob], plaintext: [\"log.*\"]}}\n\
         secrets:\n  \"**\": {description: all}\n  stripe.key: {required: [prod], env: KEY, pattern: \"^k_\"}\n  \"prod:stripe.*\": {description: wild}\n  \
         \"prod:stripe.key\": {description: exact}\n  \"dev:stripe.key\": {description: other}\n",
    );
    let prod = environment(&policy, "prod");
    let found = policy.declarations(prod, &path("stripe.key"));
    let texts: Vec<Option<&str>> = found.iter().map(|secret| secret.description.as_deref()).collect();
    assert_eq!(texts, [Some("exact"), None, Some("wild"), Some("all")]);
    assert_eq!(policy.variable(prod, &path("stripe.key")), Some("KEY"));
    assert!(found[1].fits("k_1").unwrap() && !found[1].fits("x").unwrap() && found[0].fits("x").unwrap());
    let required: Vec<&str> = policy.required(prod).map(|(path, _)| path.as_str()).collect();
    assert_eq!(required, ["stripe.key"]);
    assert_eq!(policy.required(environment(&policy, "dev")).count(), 0);
    assert!(prod.is_plaintext(&path("log.level")) && !prod.is_plaintext(&path("log.a.b")));
}

#[test]
fn layers_come_weakest_first_and_once() {
    let policy = policy(
        "environments:\n  a: {file: a, readers: [bob], extends: [b, c]}\n  b: {file: b, readers: [bob], extends: [d]}\n  \
         c: {file: c, readers: [bob], extends: [d]}\n  d: {file: d, readers: [platform]}\n",
    );
    let layers: Vec<&str> = policy
        .layers(environment(&policy, "a"))
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(layers, ["d", "b", "c", "a"]);
}

#[test]
fn targets_and_rotators_keep_what_their_kinds_need() {
    let policy = policy(
        "environments: {prod: {file: p, readers: [bob]}}\ntargets:\n  shop: {kind: kubernetes, from: [prod], only: [\"stripe.**\"], \
         names: {stripe.key: STRIPE_KEY}, restart: [kubectl, x], namespace: shop, replicas: 2, labels: {a: [true]}}\n\
         rotators: {role: {command: [./x], timeout: 60s}, token: {generate: \"password:32\"}}\n",
    );
    let shop = &policy.targets["shop"];
    assert_eq!(shop.names, [(path("stripe.key"), "STRIPE_KEY".to_owned())]);
    assert!(shop.only[0].matches(&path("stripe.key")));
    let labels = Setting::Map(BTreeMap::from([(
        "a".to_owned(),
        Setting::List(vec![Setting::Bool(true)]),
    )]));
    let settings = [
        ("labels", labels),
        ("namespace", Setting::Text("shop".into())),
        ("replicas", Setting::Integer(2)),
    ];
    assert_eq!(
        shop.settings,
        settings.map(|(name, setting)| (name.to_owned(), setting)).into()
    );
    assert_eq!(
        policy.rotators["token"].method,
        RotatorMethod::Generate("password:32".into())
    );
}

struct Tree(&'static [&'static str]);

impl Folders for Tree {
    fn folders(&self, parent: &Path) -> Vec<String> {
        let inside = self
            .0
            .iter()
            .filter_map(|path| Path::new(path).strip_prefix(parent).ok());
        inside
            .filter_map(|path| path.iter().next()?.to_str().map(str::to_owned))
            .collect()
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.iter().any(|known| Path::new(known) == path)
    }
}

fn linked(rest: &str, tree: &'static [&'static str]) -> anyhow::Result<Policy> {
    let text = story("").replace(
        "groups: {platform: [alice, bob], developers: [platform, carol]}\n",
        rest,
    );
    Policy::link(PolicyFile::root(&text, ".secrets.yaml")?, Vec::new(), &Tree(tree))
}

#[test]
fn a_placeholder_stands_for_each_folder_that_fits() {
    let policy = linked(
        PLACEHOLDER,
        &["services/billing/x", "services/api", "services/Docs", "services/new"],
    )
    .unwrap();
    let found: Vec<&str> = policy.environments.keys().map(EnvironmentName::as_str).collect();
    assert_eq!(found, ["api/prod", "billing/prod"]);
    let billing = environment(&policy, "billing/prod");
    assert_eq!(billing.file, Path::new("services/billing/secrets/prod.yaml"));
    assert_eq!(names(policy.writers(environment(&policy, "api/prod"))), ["bob"]);
}

#[test]
fn a_file_whose_team_is_unknown_is_an_error_and_not_forgotten() {
    let failure = failure_of(linked(PLACEHOLDER, &["services/new/secrets/prod.yaml"]));
    assert!(
        failure.message().ends_with("`team-new` is no recipient or group"),
        "{failure}"
    );
}

#[test]
fn large_policies_stay_quick() {
    let mut text = String::from("id: \"0123456789abcdef0123456789abcdef\"\ngroups:\n  g0: []\n");
    for group in 1..20_000 {
        text.push_str(&format!("  g{group}: [g{}]\n", group - 1));
    }
    let started = std::time::Instant::now();
    assert_eq!(Policy::parse(&text, "p").unwrap().people.groups().count(), 20_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
