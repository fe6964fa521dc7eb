//! `hooks install|uninstall|status`: what is there of others goes on, what was put in comes out byte for byte, and git does
//! with it what it is for.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use expect_test::expect;

use crate::fixture::{TWO_ENVIRONMENTS, alice_with_git, changes_nothing, edit, policy};
use crate::output::Output;
use crate::sandbox::{Person, Sandbox};
use crate::team::Team;

/// Alice, whose `dev` is committed.
fn alice() -> Person {
    let alice = alice_with_git(TWO_ENVIRONMENTS);
    edit(&alice, "dev", "a: one\n").run().succeeds();
    alice.commit("dev");
    alice
}

fn hooks(person: &Person, verb: &str) -> Output {
    person.secretree(["hooks", verb]).run()
}

/// A file with these permissions.
fn script(person: &Person, path: &str, text: impl AsRef<[u8]>, mode: u32) {
    person.write(path, text);
    std::fs::set_permissions(person.work(path), PermissionsExt::from_mode(mode)).unwrap();
}

/// Every file below a folder, git's objects and index apart, with its mode and bytes; of a link its target.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if ["objects", "index", "logs"]
            .iter()
            .any(|name| path.ends_with(Path::new(".git").join(name)))
        {
            continue;
        }
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            found.extend(everything(&path));
            continue;
        }
        let bytes = match metadata.is_symlink() {
            true => std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
            false => std::fs::read(&path).unwrap(),
        };
        found.insert(path, (metadata.permissions().mode(), bytes));
    }
    found
}

/// Stages a plaintext value, and tries to commit it.
fn commit_plaintext(person: &Person) -> Output {
    let before = person.read("secrets/dev.yaml");
    person.write(
        "secrets/dev.yaml",
        ["b: plain\n".as_bytes(), before.as_slice()].concat(),
    );
    person.git(["add", "secrets/dev.yaml"]).run().succeeds();
    person.write("secrets/dev.yaml", before);
    let output = person.git(["commit", "--quiet", "-m", "x"]).run();
    person.git(["reset", "--quiet", "--", "secrets/dev.yaml"]).run();
    output
}

#[test]
fn a_plain_repository_gets_all_parts_and_loses_them_again() {
    let alice = alice();
    let before = everything(&alice.work(""));
    hooks(&alice, "status").check(expect![[r#"
        status: 0
        --- stdout
        missing    pre-commit hook  .git/hooks/pre-commit
        missing    diff driver      .git/config
        missing    merge driver     .git/config
        missing    attributes       .gitattributes
        --- stderr
        next: secretree hooks install
    "#]]);
    hooks(&alice, "install").check(expect![[r#"
        status: 0
        --- stderr
        pre-commit hook: installed in .git/hooks/pre-commit
        diff driver: installed in .git/config
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
    "#]]);
    hooks(&alice, "status").check(expect![[r#"
        status: 0
        --- stdout
        installed  pre-commit hook  .git/hooks/pre-commit
        installed  diff driver      .git/config
        installed  merge driver     .git/config
        installed  attributes       .gitattributes
    "#]]);
    let installed = everything(&alice.work(""));
    expect![[r#"
        # >>> secretree hooks >>> made this file
        /secrets/dev.yaml diff=secretree merge=secretree -text
        /secrets/prod.yaml diff=secretree merge=secretree -text
        # <<< secretree hooks <<<
    "#]]
    .assert_eq(&alice.read_text(".gitattributes"));
    expect![[r#"
        #!/bin/sh
        # >>> secretree hooks >>> made this file
        secretree git pre-commit || exit $?
        # <<< secretree hooks <<<
    "#]]
    .assert_eq(&alice.read_text(".git/hooks/pre-commit"));
    // Twice is once.
    hooks(&alice, "install").check(expect![[r#"
        status: 0
        --- stderr
        pre-commit hook: as it should be
        diff driver: as it should be
        merge driver: as it should be
        attributes: as it should be
    "#]]);
    assert_eq!(everything(&alice.work("")), installed);
    commit_plaintext(&alice).code(1).says("error[plaintext-value]: `dev:b`");
    alice.secretree(["set", "dev", "a"]).input("two").run().succeeds();
    let shown = alice.git(["diff"]).run().stdout();
    assert!(shown.contains("\n-a: <v") && shown.contains("\n+a: <v"), "{shown}");
    alice.git(["checkout", "--quiet", "."]).run().succeeds();
    hooks(&alice, "uninstall").check(expect![[r#"
        status: 0
        --- stderr
        pre-commit hook: taken out of .git/hooks/pre-commit
        diff driver: taken out of .git/config
        merge driver: taken out of .git/config
        attributes: taken out of .gitattributes
    "#]]);
    assert_eq!(everything(&alice.work("")), before);
    hooks(&alice, "uninstall").check(expect![[r#"
        status: 1
        --- stderr
        error: nothing of `secretree hooks install` is here
        hint: secretree hooks status
    "#]]);
}

/// Puts a hook of somebody else's there.
type LayOut<'a> = Box<dyn Fn() + 'a>;

#[test]
fn hooks_of_others_go_on_and_are_there_again_afterwards() {
    let alice = alice();
    let trace = alice.folder().join("trace");
    let touch = format!("echo \"$0 $#\" >> {}\n", trace.display());
    let python = format!(
        "#!/usr/bin/env python3\nopen({:?}, 'a').write('python\\n')\n",
        trace.display()
    );
    let hook = alice.work(".git/hooks/pre-commit");
    script(&alice, "tools/hook", format!("#!/bin/sh\n{touch}"), 0o755);
    let cases: [(&str, LayOut<'_>); 7] = [
        (
            "sh",
            Box::new(|| {
                script(
                    &alice,
                    ".git/hooks/pre-commit",
                    format!("#!/bin/sh\n{touch}exit 0\n"),
                    0o755,
                )
            }),
        ),
        (
            "no line end",
            Box::new(|| {
                script(
                    &alice,
                    ".git/hooks/pre-commit",
                    format!("#!/bin/bash -e\n{}", touch.trim()),
                    0o700,
                )
            }),
        ),
        (
            "one line",
            Box::new(|| script(&alice, ".git/hooks/pre-commit", "#!/bin/sh", 0o755)),
        ),
        (
            "no first line",
            Box::new(|| script(&alice, ".git/hooks/pre-commit", &touch, 0o755)),
        ),
        (
            "python",
            Box::new(|| script(&alice, ".git/hooks/pre-commit", &python, 0o755)),
        ),
        ("link", Box::new(|| symlink("../../tools/hook", &hook).unwrap())),
        (
            "attributes",
            Box::new(|| alice.write(".gitattributes", "*.png binary\n*.yaml text")),
        ),
    ];
    for (name, lay_out) in cases {
        lay_out();
        let before = everything(&alice.work(""));
        hooks(&alice, "install").succeeds();
        let installed = everything(&alice.work(""));
        hooks(&alice, "install").succeeds();
        assert_eq!(everything(&alice.work("")), installed, "{name}");
        let status = hooks(&alice, "status").stdout();
        assert_eq!(
            status.matches("installed").count(),
            status.lines().count(),
            "{name}: {status}"
        );
        let _ = std::fs::remove_file(&trace);
        commit_plaintext(&alice).code(1).says("`dev:b`");
        assert!(
            !trace.exists(),
            "{name}: the other hook was asked although ours had refused"
        );
        alice
            .git(["commit", "--quiet", "--allow-empty", "-m", "x"])
            .run()
            .succeeds();
        assert_eq!(trace.exists(), !["one line", "attributes"].contains(&name), "{name}");
        // What else git wrote meanwhile is not compared.
        let changed = |mut files: BTreeMap<PathBuf, (u32, Vec<u8>)>| {
            files.retain(|path, _| !path.ends_with("COMMIT_EDITMSG") && !path.starts_with(alice.work(".git/refs")));
            files
        };
        hooks(&alice, "uninstall").succeeds();
        assert_eq!(changed(everything(&alice.work(""))), changed(before), "{name}");
        let _ = std::fs::remove_file(&hook);
    }
}

#[test]
fn a_hook_of_another_decides_as_before() {
    let alice = alice();
    script(
        &alice,
        ".git/hooks/pre-commit",
        "#!/usr/bin/env python3\nimport sys\nsys.exit('no')\n",
        0o755,
    );
    hooks(&alice, "install").succeeds();
    alice
        .git(["commit", "--allow-empty", "-m", "x"])
        .run()
        .code(1)
        .says("no");
    hooks(&alice, "uninstall").succeeds();
    // One that git does not run is not woken.
    script(&alice, ".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n", 0o644);
    let before = everything(&alice.work(".git/hooks"));
    hooks(&alice, "install").check(expect![[r#"
        status: 1
        --- stderr
        diff driver: installed in .git/config
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
        error: `[SANDBOX]/alice/work/.git/hooks/pre-commit` is there and not executable, so git does not run it
        hint: make it executable or remove it, then: secretree hooks install
    "#]]);
    assert_eq!(everything(&alice.work(".git/hooks")), before);
}

#[test]
fn what_is_out_of_date_is_brought_up_to_date() {
    let alice = alice();
    hooks(&alice, "install").succeeds();
    let more = TWO_ENVIRONMENTS.to_owned() + "  qa: {file: qa.yaml, readers: [alice]}\n";
    alice.write(".secrets.yaml", policy(&[("alice", &alice.public_key())], &more));
    alice
        .git(["config", "diff.secretree.textconv", "/old/secretree git textconv"])
        .run()
        .succeeds();
    let hook = alice
        .read_text(".git/hooks/pre-commit")
        .replace("secretree git", "/old/secretree git")
        + "echo mine\n";
    alice.write(".git/hooks/pre-commit", &hook);
    hooks(&alice, "status").check(expect![[r#"
        status: 0
        --- stdout
        stale      pre-commit hook  .git/hooks/pre-commit
        stale      diff driver      .git/config
        installed  merge driver     .git/config
        stale      attributes       .gitattributes
        --- stderr
        next: secretree hooks install
    "#]]);
    alice.secretree(["hooks", "status", "--json"]).run().check(expect![[r#"
        status: 0
        --- stdout
        {
          "parts": [
            {
              "part": "pre-commit hook",
              "state": "stale",
              "file": ".git/hooks/pre-commit",
              "advice": []
            },
            {
              "part": "diff driver",
              "state": "stale",
              "file": ".git/config",
              "advice": []
            },
            {
              "part": "merge driver",
              "state": "installed",
              "file": ".git/config",
              "advice": []
            },
            {
              "part": "attributes",
              "state": "stale",
              "file": ".gitattributes",
              "advice": []
            }
          ]
        }
    "#]]);
    hooks(&alice, "install").check(expect![[r#"
        status: 0
        --- stderr
        pre-commit hook: brought up to date in .git/hooks/pre-commit
        diff driver: brought up to date in .git/config
        merge driver: as it should be
        attributes: brought up to date in .gitattributes
    "#]]);
    assert!(alice.read_text(".gitattributes").contains("/qa.yaml diff=secretree"));
    // What was written into the file since stays.
    hooks(&alice, "uninstall").succeeds();
    assert_eq!(alice.read_text(".git/hooks/pre-commit"), "#!/bin/sh\necho mine\n");
    // What somebody else put under our name is not replaced, and neither is half a block.
    alice.git(["config", "diff.secretree.textconv", "cat"]).run().succeeds();
    alice.write(".git/hooks/pre-commit", "#!/bin/sh\n# >>> secretree hooks >>>\n");
    hooks(&alice, "install").check(expect![[r#"
        status: 1
        --- stderr
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
        error: `[SANDBOX]/alice/work/.git/hooks/pre-commit`: the line `# <<< secretree hooks <<<` is missing
        hint: take out by hand what is left of the lines of `secretree hooks`
    "#]]);
    assert_eq!(alice.git(["config", "diff.secretree.textconv"]).run().stdout(), "cat\n");
}

#[test]
fn the_program_is_called_by_its_path_where_its_name_leads_elsewhere() {
    let alice = alice();
    let folder = alice.sandbox().root().join("it's 100%d of $HOME");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("secretree");
    // By a process of its own: no other test's child inherits a handle that writes to it.
    let copied = std::process::Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_secretree"))
        .arg(&program)
        .status();
    assert!(copied.unwrap().success());
    let path = alice.sandbox().script("secretree", "#!/bin/sh\nexit 1\n");
    let program = program.to_str().unwrap();
    alice.command(program, ["hooks", "install"]).run().succeeds();
    assert_ne!(path, program);
    commit_plaintext(&alice).code(1).says("`dev:b`");
    alice.secretree(["set", "dev", "a"]).input("two").run().succeeds();
    let shown = alice.git(["diff"]).run().stdout();
    assert!(shown.contains("\n+a: <v"), "{shown}");
    // Two values that stand side by side: git alone would leave a conflict, the driver does not.
    alice.secretree(["set", "dev", "b"]).input("one").run().succeeds();
    alice.commit("both");
    alice.git(["checkout", "--quiet", "-b", "other"]).run().succeeds();
    for (branch, path) in [("other", "c"), ("main", "d")] {
        alice.git(["checkout", "--quiet", branch]).run().succeeds();
        alice.secretree(["set", "dev", path]).input("new").run().succeeds();
        alice.commit(path);
    }
    let merge = alice.git(["merge", "--quiet", "--no-edit", "other"]).run();
    merge.code(0);
    for path in ["a", "b", "c", "d"] {
        alice.secretree(["get", "dev", path]).run().succeeds();
    }
}

#[test]
fn hooks_path_husky_and_hooks_for_all_repositories_are_found() {
    let alice = alice();
    // A folder of the repository.
    script(&alice, "githooks/pre-commit", "#!/bin/sh\necho theirs >&2\n", 0o755);
    alice.git(["config", "core.hooksPath", "githooks"]).run().succeeds();
    alice.commit("hooks");
    hooks(&alice, "install").check(expect![[r#"
        status: 0
        --- stderr
        pre-commit hook: installed in githooks/pre-commit
        diff driver: installed in .git/config
        merge driver: installed in .git/config
        attributes: installed in .gitattributes
        note: the hook is a file of the repository: commit it, and everybody has it
    "#]]);
    expect![[r#"
        #!/bin/sh
        # >>> secretree hooks >>>
        if command -v secretree >/dev/null 2>&1; then
          secretree git pre-commit || exit $?
        else
          echo 'secretree is not installed: nothing looks for plaintext values in this commit' >&2
        fi
        # <<< secretree hooks <<<
        echo theirs >&2
    "#]]
    .assert_eq(&alice.read_text("githooks/pre-commit"));
    commit_plaintext(&alice).code(1).says("`dev:b`");
    let output = alice
        .git(["commit", "--quiet", "--allow-empty", "-m", "x"])
        .inside("secrets")
        .run();
    output.code(0).says("theirs");
    // Somebody who does not have the program is told, and can commit.
    alice.sandbox().script("command-free", "");
    let output = alice
        .git(["commit", "--quiet", "--allow-empty", "-m", "x"])
        .env("PATH", "/usr/bin:/bin")
        .run();
    output.code(0).says("secretree is not installed");
    hooks(&alice, "uninstall").succeeds();
    assert_eq!(alice.read_text("githooks/pre-commit"), "#!/bin/sh\necho theirs >&2\n");
    script(&alice, "githooks/pre-commit", "#!/usr/bin/env python3\n", 0o755);
    hooks(&alice, "install")
        .code(1)
        .says("is no shell script, and everybody who has the repository has it");

    // As husky 9 lays it out: git runs `.husky/_/pre-commit`, and that `sh -e .husky/pre-commit`.
    let runner = "#!/usr/bin/env sh\nhook=\"$(dirname \"$(dirname \"$0\")\")/$(basename \"$0\")\"\n[ ! -f \"$hook\" ] || sh -e \"$hook\" \"$@\"\n";
    script(&alice, ".husky/_/pre-commit", runner, 0o755);
    alice.git(["config", "core.hooksPath", ".husky/_"]).run().succeeds();
    for text in [None, Some("echo tests >&2\n")] {
        if let Some(text) = text {
            alice.write(".husky/pre-commit", text);
        }
        hooks(&alice, "install").succeeds();
        commit_plaintext(&alice).code(1).says("`dev:b`");
        let output = alice.git(["commit", "--quiet", "--allow-empty", "-m", "x"]).run();
        output.code(0);
        assert_eq!(output.stderr().contains("tests"), text.is_some());
        hooks(&alice, "uninstall").succeeds();
        let left = std::fs::read_to_string(alice.work(".husky/pre-commit")).ok();
        assert_eq!(left.as_deref(), text);
    }

    // A folder of the person, for all their repositories.
    let own = alice.folder().join("home/githooks");
    alice.git(["config", "--unset", "core.hooksPath"]).run().succeeds();
    alice
        .git(["config", "--global", "core.hooksPath"])
        .operand(&own)
        .run()
        .succeeds();
    hooks(&alice, "install")
        .code(0)
        .says("the hook looks at every repository that uses it");
    commit_plaintext(&alice).code(1).says("`dev:b`");
    assert!(own.join("pre-commit").exists());
}

#[test]
fn linked_work_trees_submodules_and_folders_share_the_hook_of_their_clone() {
    let team = Team::new(&["alice"]);
    let alice = team.person("alice");
    edit(&alice, "dev", "a: one\n").run().succeeds();
    team.share(&alice, "dev");
    alice.git(["worktree", "add", "--quiet", "linked"]).run().succeeds();
    let before = everything(&alice.work(".git"));
    alice
        .secretree(["hooks", "install"])
        .inside("linked/secrets")
        .run()
        .succeeds();
    commit_plaintext(&alice).code(1).says("`dev:b`");
    let status = alice.secretree(["hooks", "status"]).inside("linked").run().stdout();
    assert!(!status.contains("missing"), "{status}");
    alice
        .secretree(["hooks", "uninstall"])
        .inside("linked")
        .run()
        .succeeds();
    let kept = |mut files: BTreeMap<PathBuf, (u32, Vec<u8>)>| {
        files.retain(|path, _| {
            path.ends_with("config") || path.parent().is_some_and(|folder| folder.ends_with("hooks"))
        });
        files
    };
    assert_eq!(kept(everything(&alice.work(".git"))), kept(before));
    // Inside another repository.
    let outer = team.sandbox().person("outer");
    outer.git(["init", "--quiet"]).run().succeeds();
    let origin = team.sandbox().root().join("origin.git");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    outer.git(add).operand(&origin).operand("inner").run().succeeds();
    outer.secretree(["hooks", "install"]).inside("inner").run().succeeds();
    assert!(outer.work(".git/modules/inner/hooks/pre-commit").exists());
    let diff = outer
        .git(["config", "diff.secretree.textconv"])
        .inside("inner")
        .run()
        .stdout();
    assert_eq!(diff, "secretree git textconv\n");
    outer.git(["config", "diff.secretree.textconv"]).run().code(1);
    // Where git itself says which repository is meant.
    let git_dir = outer.work(".git/modules/inner");
    let told = outer
        .secretree(["hooks", "status"])
        .inside("inner")
        .env("GIT_DIR", &git_dir)
        .run();
    assert!(!told.stdout().contains("missing"), "{}", told.stderr());
}

#[test]
fn environments_of_placeholders_need_no_new_line_for_a_new_folder() {
    let rest = "environments:\n  prod: {file: \"services/{service}/secrets/prod.yaml\", readers: [alice]}\n  \
                dev: {file: \"my secrets/dev.yaml\", readers: [alice]}\n";
    let alice = alice_with_git(rest);
    alice.write("services/mail/x", "");
    alice.write("services/web/x", "");
    alice.write(
        "tools/.secrets.yaml",
        policy(&[("alice", &alice.public_key())], TWO_ENVIRONMENTS),
    );
    alice.write(
        "web/.secrets.yaml",
        "version: 1\nenvironments:\n  qa: {file: qa.yaml, readers: [alice]}\n",
    );
    alice.commit("folders");
    hooks(&alice, "install").succeeds();
    expect![[r##"
        # >>> secretree hooks >>> made this file
        "/my secrets/dev.yaml" diff=secretree merge=secretree -text
        /services/*/secrets/prod.yaml diff=secretree merge=secretree -text
        /tools/secrets/dev.yaml diff=secretree merge=secretree -text
        /tools/secrets/prod.yaml diff=secretree merge=secretree -text
        /web/qa.yaml diff=secretree merge=secretree -text
        # <<< secretree hooks <<<
    "##]]
    .assert_eq(&alice.read_text(".gitattributes"));
    alice.write("services/new/secrets/prod.yaml", "");
    for file in [
        "services/new/secrets/prod.yaml",
        "my secrets/dev.yaml",
        "tools/secrets/dev.yaml",
        "web/qa.yaml",
    ] {
        let output = alice.git(["check-attr", "diff", "--", file]).run().stdout();
        assert!(output.ends_with(": diff: secretree\n"), "{output}");
    }
    hooks(&alice, "status").succeeds();
    assert!(!hooks(&alice, "status").stdout().contains("stale"));
}

#[test]
fn doctor_says_what_is_missing_and_the_cure_mends_it() {
    let alice = alice();
    let doctor = |person: &Person| {
        let output = person.secretree(["doctor"]).run().stdout();
        let lines = output.lines().skip_while(|line| !line.contains("[hooks-"));
        lines
            .take_while(|line| line.contains("[hooks-") || line.starts_with("  "))
            .map(String::from)
            .collect::<Vec<_>>()
    };
    expect![[r#"
        warning[hooks-missing]: not set up in this clone: pre-commit hook, diff driver, merge driver and attributes
          cure: secretree hooks install"#]]
    .assert_eq(&doctor(&alice).join("\n"));
    hooks(&alice, "install").succeeds();
    assert_eq!(doctor(&alice), [""; 0]);
    alice
        .git(["config", "diff.secretree.textconv", "/old/secretree git textconv"])
        .run()
        .succeeds();
    expect![[r#"
        warning[hooks-stale]: out of date in this clone: diff driver
          cure: secretree hooks install"#]]
    .assert_eq(&doctor(&alice).join("\n"));
    hooks(&alice, "install").succeeds();
    assert_eq!(doctor(&alice), [""; 0]);
}

#[test]
fn init_offers_it() {
    let ada = crate::sandbox::Sandbox::new().person("ada");
    ada.secretree(["init", "--yes", "--hooks"])
        .run()
        .code(1)
        .says("`--hooks` needs a git repository");
    ada.git(["init", "--quiet"]).run().succeeds();
    ada.secretree(["init", "--yes", "--hooks", "--commit"])
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            your identity is in `[SANDBOX]/ada/config/secretree/identity.txt`: age1…
            wrote .secrets.yaml, secrets/dev.yaml, secrets/prod.yaml
            pre-commit hook: installed in .git/hooks/pre-commit
            diff driver: installed in .git/config
            merge driver: installed in .git/config
            attributes: installed in .gitattributes
            committed COMMIT
            next: `secretree edit dev` puts values in, `secretree run dev -- CMD` uses them
            then: `git push`; whoever has the repository can see what there is, but not read it
        "#]]);
    assert_eq!(ada.git(["status", "--porcelain"]).run().stdout(), "");
    hooks(&ada, "status").check(expect![[r#"
        status: 0
        --- stdout
        installed  pre-commit hook  .git/hooks/pre-commit
        installed  diff driver      .git/config
        installed  merge driver     .git/config
        installed  attributes       .gitattributes
    "#]]);
}

#[test]
fn there_is_nothing_to_install_without_a_repository_or_a_policy() {
    let alice = crate::fixture::alice(TWO_ENVIRONMENTS);
    hooks(&alice, "install").check(expect![[r#"
        status: 1
        --- stderr
        error: this folder is in no git repository
        hint: git init
    "#]]);
    alice.git(["init", "--quiet"]).run().succeeds();
    std::fs::remove_file(alice.work(".secrets.yaml")).unwrap();
    hooks(&alice, "install").check(expect![[r#"
        status: 1
        --- stderr
        error: no `.secrets.yaml` here or above
        hint: secretree init
    "#]]);
    hooks(&alice, "uninstall").code(1);
}

#[test]
fn a_bare_repository_is_no_place_for_a_policy_or_hooks() {
    let alice = Sandbox::new().person("alice");
    alice.git(["init", "--quiet", "--bare"]).run().succeeds();
    for words in [
        "hooks install",
        "init --yes",
        "log",
        "get dev a --at HEAD",
        "git pre-commit",
    ] {
        let refused = changes_nothing(alice.secretree(words.split(' ')));
        refused
            .code(1)
            .says("` is a bare repository: it has no files to work on");
    }
    let doctor = alice.secretree(["doctor"]).run();
    assert!(doctor.stdout().contains("is a bare repository"), "{}", doctor.stdout());
}
