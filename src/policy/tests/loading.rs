//! Finding policies in a tree: the root, those further down, and what a name means in a folder.

use std::fs;
use std::path::Path;

use super::{PLACEHOLDER, environment, failure_of, story, told};
use crate::policy::{LoadedPolicy, Reach, find};

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    }
    folder
}

const NESTED: &str = "version: 1\nenvironments:\n  common: {file: c.yaml, readers: [platform]}\n  \
     prod: {file: secrets/prod.yaml, readers: [alice], extends: [common]}\nsecrets: {\"prod:a\": {required: [prod], rotator: r}}\n\
     targets: {t: {kind: file, from: [prod]}}\nrotators: {r: {generate: \"hex:32\"}}\n";

#[test]
fn a_policy_further_down_adds_environments_named_by_its_folder() {
    let root =
        story("default_environment: prod\nenvironments: {prod: {file: p.yaml, readers: [bob]}}\nsecrets: {b: {}}\n");
    let folder = folder_with(&[
        (".secrets.yaml", &root),
        ("services/billing/.secrets.yaml", NESTED),
        ("services/billing/src/x", ""),
    ]);
    let top = folder.path();
    let deep = top.join("services/billing/src");
    let loaded = LoadedPolicy::load(&deep, Some(top), Reach::Near).unwrap();
    assert_eq!((loaded.root_folder.as_path(), loaded.reach), (top, Reach::Near));
    let resolve = |text: &str, start: &Path| {
        loaded
            .resolve_environment(text, start, None)
            .map(|name| name.to_string())
            .ok()
    };
    assert_eq!(resolve("prod", &deep).as_deref(), Some("billing/prod"));
    assert_eq!(resolve("prod", &top.join("services")).as_deref(), Some("prod"));
    assert_eq!(resolve("billing/prod", top).as_deref(), Some("billing/prod"));
    assert_eq!(
        loaded.default_environment(&deep).unwrap().unwrap().as_str(),
        "billing/prod"
    );
    let policy = &loaded.policy;
    let (own, prod) = (environment(policy, "billing/prod"), environment(policy, "prod"));
    assert_eq!(
        loaded.file(own).unwrap(),
        top.join("services/billing/secrets/prod.yaml")
    );
    assert_eq!(own.extends[0].as_str(), "billing/common");
    assert_eq!(policy.declared(own).count(), 2);
    assert_eq!(policy.declared(prod).count(), 1);
    let (_, secret) = policy.required(own).next().unwrap();
    assert_eq!(policy.rotator(secret).unwrap().name, "billing/r");
    assert_eq!(policy.targets["billing/t"].from[0].as_str(), "billing/prod");
}

#[test]
fn policies_far_away_are_read_when_a_name_or_everything_needs_them() {
    let root = story("environments: {all: {file: a.yaml, readers: [alice]}}\n");
    let folder = folder_with(&[
        (".secrets.yaml", &root),
        ("services/billing/.secrets.yaml", NESTED),
        ("node_modules/x/.secrets.yaml", "broken: ["),
        ("vendor/other/.secrets.yaml", &story("")),
        ("vendor/other/deeper/.secrets.yaml", "nonsense: 1"),
        ("vendor/repository/.git/x", ""),
        ("vendor/repository/.secrets.yaml", "nonsense: 1"),
    ]);
    let top = folder.path();
    assert_eq!(
        LoadedPolicy::load(top, None, Reach::Near)
            .unwrap()
            .policy
            .environments
            .len(),
        1
    );
    assert_eq!(
        LoadedPolicy::load(top, None, Reach::Everything)
            .unwrap()
            .policy
            .environments
            .len(),
        3
    );
    let (loaded, name) = LoadedPolicy::load_for(top, None, "billing/prod", Some("get")).unwrap();
    assert_eq!((loaded.reach, name.as_str()), (Reach::Everything, "billing/prod"));
    let extended = root.replace("[alice]}}", "[alice], extends: [billing/common]}}");
    let folder = folder_with(&[(".secrets.yaml", &extended), ("services/billing/.secrets.yaml", NESTED)]);
    let loaded = LoadedPolicy::load(folder.path(), None, Reach::Near).unwrap();
    assert_eq!(loaded.reach, Reach::Everything);
}

#[test]
fn an_unknown_environment_says_what_to_type() {
    let root = story(
        "default_environment: dev\nenvironments: {dev: {file: d, readers: [bob]}, prod: {file: p, readers: [bob]}}\n",
    );
    let folder = folder_with(&[(".secrets.yaml", &root)]);
    let loaded = LoadedPolicy::load(folder.path(), None, Reach::Near).unwrap();
    let told = |text: &str, command| told(&failure_of(loaded.resolve_environment(text, folder.path(), command)));
    assert_eq!(
        told("stripe_key", Some("get")),
        "`stripe_key` is no environment | secretree get dev stripe_key"
    );
    assert_eq!(
        told("prdo", Some("get")),
        "`prdo` is no environment | did you mean `prod`?"
    );
    assert_eq!(
        told("staging", None),
        "`staging` is no environment | environments are dev, prod"
    );
    assert!(!told(&"S3cret".repeat(20), Some("set")).contains("S3cret"));
}

#[test]
fn a_service_without_its_team_says_which_group_is_missing() {
    let text = story("").replace(
        "groups: {platform: [alice, bob], developers: [platform, carol]}\n",
        PLACEHOLDER,
    );
    let folder = folder_with(&[
        (".secrets.yaml", &text),
        ("services/new/x", ""),
        ("services/billing/x", ""),
    ]);
    let loaded = LoadedPolicy::load(folder.path(), None, Reach::Near).unwrap();
    let failure = failure_of(loaded.resolve_environment("new/prod", folder.path(), None));
    assert_eq!(
        failure.message(),
        "`new/prod` is no environment yet: there is no recipient or group `team-new`"
    );
    let start = folder.path().join("services/billing");
    assert_eq!(
        loaded.resolve_environment("prod", &start, None).unwrap().as_str(),
        "billing/prod"
    );
}

#[test]
fn the_root_is_the_nearest_policy_with_an_id() {
    let folder = folder_with(&[
        (".secrets.yaml", &story("")),
        ("a/.secrets.yaml", "version: 1\n"),
        ("a/b/.secrets.yaml", &story("")),
    ]);
    let top = folder.path();
    assert_eq!(find(&top.join("a"), None).unwrap(), top);
    assert_eq!(find(&top.join("a/b"), None).unwrap(), top.join("a/b"));
    let bounded = failure_of(find(&top.join("a"), Some(&top.join("a"))));
    assert_eq!(bounded.message(), "no `.secrets.yaml` here or above has an `id`");
    let none = failure_of(find(Path::new("/nowhere/at/all"), None));
    assert_eq!(
        (none.message(), none.hints()),
        ("no `.secrets.yaml` here or above", &["secretree init".to_owned()][..])
    );
}

#[test]
fn clashes_and_files_under_another_policy_are_refused() {
    for (rest, expected) in [
        (
            "environments: {billing/prod: {file: p.yaml, readers: [bob]}}\n",
            "`billing/prod` is declared in `.secrets.yaml` line 9 too",
        ),
        (
            "environments: {x: {file: billing/x.yaml, readers: [bob]}}\n",
            "the file of `x` is in `billing`, which has its own policy",
        ),
    ] {
        let folder = folder_with(&[(".secrets.yaml", &story(rest)), ("billing/.secrets.yaml", NESTED)]);
        let failure = failure_of(LoadedPolicy::load(folder.path(), None, Reach::Everything));
        assert!(failure.message().ends_with(expected), "{failure}");
    }
    let rest = "environments: {x: {file: billing/x.yaml, readers: [bob]}}\n";
    let folder = folder_with(&[(".secrets.yaml", &story(rest)), ("billing/.secrets.yaml", NESTED)]);
    let near = LoadedPolicy::load(folder.path(), None, Reach::Near).unwrap();
    let failure = failure_of(near.file(environment(&near.policy, "x")));
    assert!(failure.message().contains("has its own policy"), "{failure}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_on_the_way_to_a_file_is_refused() {
    let root = story("environments: {prod: {file: secrets/prod.yaml, readers: [bob]}}\n");
    let folder = folder_with(&[(".secrets.yaml", &root), ("elsewhere/prod.yaml", "")]);
    std::os::unix::fs::symlink("elsewhere", folder.path().join("secrets")).unwrap();
    let loaded = LoadedPolicy::load(folder.path(), None, Reach::Near).unwrap();
    let failure = failure_of(loaded.file(environment(&loaded.policy, "prod")));
    assert!(
        failure.message().starts_with("`secrets` is a symbolic link"),
        "{failure}"
    );
}
