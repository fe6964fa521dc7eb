//! One repository, many folders: environments of placeholders and of deeper policies, and how they are named from where.

use expect_test::expect;

use crate::fixture::{alice, changes_nothing, edit};
use crate::sandbox::Person;

/// A repository with services, each with a policy or a folder of its own.
fn monorepo() -> Person {
    let alice = alice(
        "default_environment: dev\nenvironments:\n  dev: {file: dev.yaml, readers: [alice]}\n  \
         staging: {file: \"services/{service}/secrets/staging.yaml\", readers: [alice]}\n",
    );
    alice.write("services/billing/secrets/.keep", "");
    alice.write("services/shop/secrets/.keep", "");
    alice.write(
        "tools/report/.secrets.yaml",
        "version: 1\nenvironments: {prod: {file: prod.yaml, readers: [alice], extends: [dev]}}\nsecrets: {token: {env: REPORT_TOKEN}}\n",
    );
    alice
}

#[test]
fn a_monorepo_names_environments_by_folder() {
    let alice = monorepo();
    edit(&alice, "dev", "which: dev\n").run().succeeds();
    edit(&alice, "billing/staging", "which: billing\n")
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            billing/staging: makes services/billing/secrets/staging.yaml
            billing/staging: + alice (x25519-7cb1b2c9014e3eb1) can read
            + billing/staging:which
        "#]]);
    edit(&alice, "report/prod", "token: t\n").run().succeeds();
    // In the folder, the last part is enough.
    edit(&alice, "staging", "which: shop\n")
        .inside("services/shop")
        .run()
        .succeeds();
    assert!(alice.work("services/shop/secrets/staging.yaml").exists());
    let get = |folder: &str, environment: &str, path: &str| {
        changes_nothing(alice.secretree(["get", environment, path]).inside(folder))
    };
    get("services/billing", "staging", "which").prints("billing");
    get("services/shop/secrets", "staging", "which").prints("shop");
    get("tools/report", "prod", "token").prints("t");
    get("tools/report", "dev", "which").prints("dev");
    get(".", "report/prod", "REPORT_TOKEN").prints("t");
    get(".", "report/prod", "which").prints("dev");
    get(".", "staging", "which").check(expect![[r#"
        status: 1
        --- stderr
        error: `staging` is no environment
        hint: did you mean `billing/staging` or `shop/staging`?
    "#]]);
    get(".", "biling/staging", "which").check(expect![[r#"
        status: 1
        --- stderr
        error: `biling/staging` is no environment
        hint: did you mean `billing/staging`?
    "#]]);
    alice.secretree(["list"]).run().check(expect![[r#"
        status: 0
        --- stdout
        PATH   billing/staging  dev  report/prod  shop/staging
        token  -                -    x            -
        which  x                x    x            x
    "#]]);
    alice
        .secretree(["run", "prod", "--no-inherit", "--", "env"])
        .inside("tools/report")
        .run()
        .prints("REPORT_TOKEN=t\nWHICH=dev\n");
    // Without ENV, the root's default holds below, too.
    alice
        .secretree(["decrypt"])
        .inside("services/billing")
        .run()
        .prints("which: dev\n");
    alice
        .secretree(["-C", "services/billing", "get", "staging", "which"])
        .run()
        .prints("billing");
}
