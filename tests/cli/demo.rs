//! `demo`: everything it shows is real, it leaves nothing behind and touches nothing of the user's.

use std::path::{Path, PathBuf};

use expect_test::expect;

use crate::keygen::assert_no_key_was_shown;
use crate::sandbox::Sandbox;

/// Every file and folder below, with its size.
fn everything(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the sandbox is ours") {
        let path = entry.expect("nobody else is in the sandbox").path();
        let metadata = path.symlink_metadata().expect("it was just listed");
        if metadata.is_dir() {
            found.extend(everything(&path));
        }
        found.push((path, metadata.len()));
    }
    found.sort();
    found
}

#[test]
fn everything_promised_is_shown_and_nothing_stays() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    // Somebody's own repository and settings, which have no part in it; a container without `user.name`.
    ada.git(["init", "--quiet"]).run().succeeds();
    std::fs::remove_file(ada.folder().join("home/.gitconfig")).unwrap();
    let before = everything(sandbox.root());
    let output = ada
        .secretree(["demo"])
        .env("GIT_DIR", ada.work(".git"))
        .env("SECRETREE_ENV", "nowhere")
        .run();
    output.succeeds();
    assert_eq!(everything(sandbox.root()), before);
    let shown = output.stdout();
    let mut rest = shown.as_str();
    for text in [
        "alice$ secretree init --yes --commit\n",
        "  committed ",
        "bob$ secretree keygen",
        "+  carol: {keys: [age1",
        "prod: + bob (x25519-",
        "alice$ EDITOR=add-a-token secretree edit prod\n",
        "  + prod:mail.token\n",
        "    # asked for in the provider's console",
        "  server: STRIPE_KEY is demo-stripe-key\n",
        "  deploy: a password of 32 characters\n",
        "carol$ secretree get prod stripe.key\n  error: no identity here can open `prod`\n",
        "  [exit code 4]\n",
        " 1 file changed, 1 insertion(+), 1 deletion(-)\n",
        "+    ENC[age,k",
        "mallory$ git ",
        "alice$ secretree run prod -- sh -c 'echo never printed'\n  error: the key `k",
        "  [exit code 5]\n",
        "alice$ secretree set prod stripe.key <~/stripe-key\n  error: the key `k",
        "  [exit code 5]\n",
        "  demo-stripe-key\n",
        "secretree init ",
    ] {
        let found = rest.find(text);
        rest = &rest[found.unwrap_or_else(|| panic!("{text:?} is not shown in its turn:\n{shown}"))..];
    }
    assert!(!shown.contains("\n  never printed"), "{shown}");
    assert_eq!(output.stderr(), "");
    assert_no_key_was_shown(&sandbox);
}

#[test]
fn what_is_kept_can_be_looked_at() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    let output = ada.secretree(["demo", "--keep"]).run();
    output.succeeds();
    let shown = output.stdout();
    let (_, line) = shown.rsplit_once("To be alice:  ").unwrap();
    ada.command("sh", ["-c", line.trim()]).run().check(expect![[r#"
        status: 0
        --- stdout
        PATH               dev  prod
        database.password  -    x
        mail.token         -    x
        stripe.key         -    x
    "#]]);
}

#[test]
fn without_git_it_says_so() {
    let sandbox = Sandbox::new();
    let ada = sandbox.person("ada");
    ada.secretree(["demo"])
        .env("PATH", sandbox.root().join("bin"))
        .run()
        .check(expect![[r#"
            status: 1
            --- stderr
            error: the demonstration needs the `git` command, which is not installed
            hint: install git; only history and `--commit` need it elsewhere
        "#]]);
    assert_eq!(everything(&sandbox.temporary()), []);
}
