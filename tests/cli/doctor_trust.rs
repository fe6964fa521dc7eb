//! `doctor` on what this machine trusts: keys that it does not, and the file that says which it does. Each cure is typed as
//! it was printed.

use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect;

use crate::doctor::{Visit, healthy};

#[test]
fn a_job_was_told_to_trust_another_key() {
    let alice = healthy();
    Visit::of(&alice)
        .env("XDG_STATE_HOME", alice.folder().join("fresh").display().to_string())
        .env("SECRETREE_TRUST", format!("dev:{}", alice.public_key()))
        .doctor(&[])
        .check(expect![[r#"
            status: 1
            --- stdout
            error[key-refused]: the key of `dev` cannot be checked: a grant of `k…`, which is trusted, is in no history here
              hint: SECRETREE_TRUST does not name the key that `dev` has: look at who made it, then add `dev:age1…`
            error[key-refused]: `SECRETREE_TRUST` names no key of `prod`, which was never seen here
              hint: SECRETREE_TRUST does not name the key that `prod` has: look at who made it, then add `prod:age1…`
            --- stderr
            2 errors, 0 warnings
        "#]]);
}

#[test]
fn a_key_is_not_trusted() {
    let alice = healthy();
    // The same policy, another history: somebody made a key that the known one does not vouch for.
    alice.git(["checkout", "--quiet", "--orphan", "other"]).run().succeeds();
    alice
        .git(["rm", "-rf", "--quiet", "--cached", "secrets"])
        .run()
        .succeeds();
    std::fs::remove_dir_all(alice.work("secrets")).unwrap();
    let elsewhere = alice.folder().join("elsewhere").display().to_string();
    alice
        .secretree(["apply", "--yes"])
        .env("XDG_STATE_HOME", elsewhere)
        .run()
        .succeeds();
    alice.commit("another key");
    Visit::of(&alice).asks(2).recovers(expect![[r#"
        status: 1
        --- stdout
        error[key-refused]: the key of `dev` cannot be checked: a grant of `k…`, which is trusted, is in no history here
          cure: secretree trust dev
          hint: if a reader made the new key: secretree trust dev
        error[key-refused]: the key of `prod` cannot be checked: a grant of `k…`, which is trusted, is in no history here
          cure: secretree trust prod
          hint: if a reader made the new key: secretree trust prod
        --- stderr
        2 errors, 0 warnings
    "#]]);
}

#[test]
fn a_file_was_put_back_to_an_older_key() {
    let alice = healthy();
    alice.secretree(["apply", "dev", "--new-key", "--yes"]).run().succeeds();
    alice.commit("new key");
    alice
        .git(["checkout", "--quiet", "HEAD~1", "--", "secrets/dev.yaml"])
        .run()
        .succeeds();
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[key-refused]: `dev` stands under the key `k…`, which `k…` replaced (commit COMMIT of alice, 2026-01-05)
          cure: git restore --source COMMIT -- secrets/dev.yaml
        --- stderr
        1 error, 0 warnings
    "#]]);
    // A branch that was moved back is a warning: that may be meant.
    alice.git(["reset", "--quiet", "--hard", "HEAD~1"]).run().succeeds();
    Visit::of(&alice).asks(1).recovers(expect![[r#"
        status: 0
        --- stdout
        warning[key-moved-back]: this machine knows a newer key of `dev` (`k…`) than the one that the file stands under (`k…`): was the branch moved back? If that was meant: secretree trust dev
          cure: secretree trust dev
        --- stderr
        0 errors, 1 warning
    "#]]);
}

#[test]
fn the_trust_file_is_damaged_or_open_to_others() {
    let alice = healthy();
    let file = alice.folder().join("state/secretree/trust.json");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[trust-file-mode]: others can write `[SANDBOX]/alice/state/secretree/trust.json`, which says what is trusted
          cure: chmod go-w -- [SANDBOX]/alice/state/secretree/trust.json
        --- stderr
        1 error, 0 warnings
    "#]]);
    std::fs::write(&file, "{").unwrap();
    Visit::of(&alice).recovers(expect![[r#"
        status: 1
        --- stdout
        error[trust-file-damaged]: `[SANDBOX]/alice/state/secretree/trust.json` is no trust file
          cure: mv -- [SANDBOX]/alice/state/secretree/trust.json [SANDBOX]/alice/state/secretree/trust.json.damaged
          hint: keys are then met for the first time again: look at what the next command says of them
        --- stderr
        1 error, 0 warnings
    "#]]);
}

#[test]
fn the_state_folder_cannot_be_written() {
    let alice = healthy();
    let folder = alice.folder().join("state/secretree");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    std::fs::set_permissions(alice.work("secrets"), std::fs::Permissions::from_mode(0o500)).unwrap();
    let visit = Visit::of(&alice).without_privileges();
    visit.recovers(expect![[r#"
        status: 0
        --- stdout
        warning[folder-read-only]: `secrets` cannot be written: values can be read and not changed
          cure: chmod u+w -- secrets
        warning[state-read-only]: `[SANDBOX]/alice/state/secretree` cannot be written: a key that was looked at is not remembered
          cure: chmod u+w -- [SANDBOX]/alice/state/secretree
          hint: or set XDG_STATE_HOME to a folder that you may write
        --- stderr
        0 errors, 2 warnings
    "#]]);
}

#[test]
fn the_variable_of_trust_names_nothing() {
    let alice = healthy();
    let drop_box = alice.read_text("secrets/dev.yaml");
    let drop_box = drop_box
        .lines()
        .find_map(|line| line.trim().strip_prefix("drop_box: "))
        .unwrap();
    Visit::of(&alice)
        .env("SECRETREE_TRUST", format!("dve:{drop_box}"))
        .doctor(&[])
        .check(expect![[r#"
            status: 1
            --- stdout
            error[trust-variable]: `SECRETREE_TRUST` names `dve`, which is no environment
              hint: did you mean `dev`?
            --- stderr
            1 error, 0 warnings
        "#]]);
}
