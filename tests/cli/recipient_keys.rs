//! `recipient add`: keys in all the forms in which people hand them over, and what must not get into a policy or on a
//! screen.

use expect_test::expect;

use crate::canary::Canary;
use crate::fixture::changes_nothing;
use crate::recipient::{SSH, alice_and_bob};
use crate::tools::require;

const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB";

#[test]
fn a_forges_keys_are_taken_as_far_as_they_can_decrypt() {
    let (alice, bob) = alice_and_bob();
    let text = format!(
        "{SSH}\n{RSA}\necdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=\r\nsk-ssh-ed25519@openssh.com AAAAGnNr\n\n{bob}\n"
    );
    alice
        .secretree(["recipient", "add", "bob", "-"])
        .input(text)
        .run()
        .check(expect![[r#"
            status: 0
            --- stderr
            left out: the ssh-rsa key in line 2 is no public key: `age1…`, `ssh-ed25519 …` or `ssh-rsa …` is expected
            left out: the ecdsa-sha2-nistp256 key in line 3 is of a kind that age cannot use: only `ssh-ed25519` and `ssh-rsa` can decrypt
            left out: the sk-ssh-ed25519@openssh.com key in line 4 is an ssh key on a security key, which can sign but not decrypt
            .secrets.yaml:
              +  bob: {keys: [ssh-ed25519 AAAA…, age1…]}
            next: commit
            `bob` reads nothing yet: `secretree grant bob ENV`, or `secretree recipient add bob --group GROUP`
        "#]]);
    changes_nothing(
        alice
            .secretree(["recipient", "add", "carol", "-"])
            .input("sk-ssh-ed25519@openssh.com AAAA\n"),
    )
    .check(expect![[r#"
        status: 1
        --- stderr
        error: standard input holds no key that can decrypt: the sk-ssh-ed25519@openssh.com key in line 1 is an ssh key on a security key, which can sign but not decrypt; nothing was written
        hint: one public key a line: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`
    "#]]);
    changes_nothing(alice.secretree(["recipient", "add", "carol", "-"])).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input holds no public key; nothing was written
        hint: one public key a line: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`
    "#]]);
    changes_nothing(alice.secretree(["recipient", "add", "carol"])).check(expect![[r#"
        status: 2
        --- stderr
        error: `carol` is new and needs a public key
        hint: secretree recipient add carol age1…
        hint: curl -s https://github.com/NAME.keys | secretree recipient add carol -
    "#]]);
}

#[test]
fn files_of_real_tools_are_read() {
    if !require(&["ssh-keygen", "age-keygen"]) {
        return;
    }
    let (alice, _) = alice_and_bob();
    let maker = alice.sandbox().person("maker");
    let (ssh, age) = (maker.folder().join("key"), maker.folder().join("age.txt"));
    for kind in ["ed25519", "rsa"] {
        let path = ssh.with_extension(kind);
        maker
            .command("ssh-keygen", ["-q", "-t", kind, "-C", "maker's: #key", "-N", "", "-f"])
            .operand(&path)
            .run()
            .succeeds();
    }
    maker.command("age-keygen", ["-o"]).operand(&age).run().succeeds();
    let add = |name: &str, file: &std::path::Path| alice.secretree(["recipient", "add", name, "--file"]).operand(file);
    add("one", &ssh.with_extension("ed25519.pub")).run().succeeds();
    add("two", &ssh.with_extension("rsa.pub")).run().succeeds();
    add("three", &age).run().check(expect![[r#"
        status: 0
        --- stderr
        note: `[SANDBOX]/maker/age.txt` holds a private key; only its `# public key:` line was taken
        .secrets.yaml:
          +  three: {keys: [age1…]}
        next: commit
        `three` reads nothing yet: `secretree grant three ENV`, or `secretree recipient add three --group GROUP`
    "#]]);
    changes_nothing(add("four", &ssh.with_extension("ed25519"))).check(expect![[r#"
        status: 1
        --- stderr
        error: `[SANDBOX]/maker/key.ed25519` holds a private key and no `# public key:` line; a private key never goes into a policy; nothing was written
        hint: `secretree whoami`, `age-keygen -y FILE` and `ssh-keygen -y -f FILE` print the public key: … | secretree recipient add four -
    "#]]);
    let policy = alice.read_text(".secrets.yaml");
    for name in [
        "one: {keys: [ssh-ed25519 ",
        "two: {keys: [ssh-rsa ",
        "three: {keys: [age1",
    ] {
        assert!(policy.contains(name), "{policy}");
    }
    crate::keygen::assert_no_key_was_shown(alice.sandbox());
}

#[test]
fn a_private_key_is_refused_wherever_it_comes_from_and_never_shown() {
    let canary = Canary::new();
    let (alice, _) = alice_and_bob();
    let secret = format!("AGE-SECRET-KEY-1{}", canary.value());
    let pem = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END", canary.value());
    let plugin = format!("AGE-PLUGIN-YUBIKEY-1{}", canary.value());
    let file = alice.folder().join("given");
    let comment = format!("# public key: {}", canary.value());
    let words = format!("{} x", canary.value());
    for text in [&secret, &pem, &plugin, &comment, &words] {
        for operands in [
            &["recipient", "add", "bob", text][..],
            &["recipient", "add", text],
            &["recipient", "remove", text],
            &["recipient", "show", text],
            &["recipient", "remove", "alice", "--key", text],
            &["recipient", "add", "alice", "--group", text],
            &["recipient", "add", "alice", "--email", text],
        ] {
            let output = changes_nothing(alice.secretree(operands.iter().copied()));
            assert_ne!(output.exit_code(), Some(0), "{operands:?}");
        }
        changes_nothing(alice.secretree(["recipient", "add", "bob", "-"]).input(text.as_bytes())).code(1);
        std::fs::write(&file, text).unwrap();
        changes_nothing(alice.secretree(["recipient", "add", "bob", "--file"]).operand(&file)).code(1);
        std::fs::remove_file(&file).unwrap();
    }
    changes_nothing(alice.secretree(["recipient", &secret])).code(2);
    let shown: Vec<String> = canary.sightings(alice.sandbox(), &[]);
    assert_eq!(shown, Vec::<String>::new());
    changes_nothing(alice.secretree(["recipient", "add", "bob", &secret])).check(expect![[r#"
        status: 2
        --- stderr
        error: a KEY is a private key, which must never be shared: make a new one, and name its public key
        hint: whoever could read this command line may have it
    "#]]);
    changes_nothing(alice.secretree(["recipient", "add", "bob", "-"]).input(secret)).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input holds a private key and no `# public key:` line; a private key never goes into a policy; nothing was written
        hint: `secretree whoami`, `age-keygen -y FILE` and `ssh-keygen -y -f FILE` print the public key: … | secretree recipient add bob -
    "#]]);
}

#[test]
fn hostile_names_and_texts_are_refused_whole() {
    let (alice, bob) = alice_and_bob();
    for name in [
        "",
        "Bob",
        "bob smith",
        "\u{1b}[2Jbob",
        "bob\nmaintainers: [bob]",
        "platform",
        "null",
        &"b".repeat(70),
    ] {
        let output = changes_nothing(alice.secretree(["recipient", "add", name, &bob]));
        assert!(matches!(output.exit_code(), Some(1 | 2)), "{name:?}");
        assert!(!output.stderr().contains('\u{1b}'), "{name:?}");
    }
    for email in ["bob", "a@b\nmachine: true", "a@b c", "\u{1b}@x"] {
        changes_nothing(alice.secretree(["recipient", "add", "bob", &bob, "--email", email])).code(2);
    }
    let huge = "age1".repeat(1 << 19);
    changes_nothing(alice.secretree(["recipient", "add", "bob", "-"]).input(huge)).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input is larger than 1 MiB
    "#]]);
    let many: String = (0..20_000).map(|_| "ecdsa-sha2-nistp256 AAAA\n").collect();
    changes_nothing(alice.secretree(["recipient", "add", "bob", "-"]).input(many)).check(expect![[r#"
        status: 1
        --- stderr
        error: standard input holds more than 100 keys; nothing was written
        hint: one public key a line: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`
    "#]]);
    changes_nothing(
        alice
            .secretree(["recipient", "add", "bob", "-"])
            .input(b"\xff\xfe\0".as_slice()),
    )
    .code(1);
    changes_nothing(alice.secretree(["recipient", "add", "bob", "--file", "none.pub"])).code(1);
    alice
        .secretree(["recipient", "add", "bob", &bob, "--email", "'#: \"{[@x"])
        .run()
        .code(2);
    alice
        .secretree(["recipient", "add", "bob", &bob, "--email", "'#:\"{[@x"])
        .run()
        .succeeds();
    alice.secretree(["recipient", "list"]).run().succeeds();
}
