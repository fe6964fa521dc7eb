//! Identities that no variable of the CI system holds: the real `aws` command asks a local server for them, with the
//! token of the job, as docs/ci.md says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::action_runner::{Runner, bring_program};
use crate::canary::Canary;
use crate::ci_recipes::{deployed, recipe, team_with_machine, workflow};
use crate::output::Output;
use crate::run::Run;
use crate::sandbox::Person;
use crate::tools::require;

const TOOLS: [&str; 4] = ["aws", "curl", "jq", "moto_server"];
const ROLE: &str = "arn:aws:iam::123456789012:role/ci-prod";

/// A running moto server: KMS, STS and Secrets Manager with nothing in them. It ends with its owner.
struct Cloud {
    server: Child,
    port: u16,
}

impl Cloud {
    fn start(person: &Person) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env_clear()
            .envs(person.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut cloud = Self { server, port };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = cloud.server.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(start.elapsed() < Duration::from_secs(30), "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        cloud
    }

    /// The variables of everybody who talks to it.
    fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_DEFAULT_REGION", "eu-central-1".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }

    /// Lines of a shell, up to the first that fails.
    fn shell(&self, person: &Person, lines: &str) -> Run {
        let run = person.command("sh", ["-e", "-c", lines]);
        let variables = self.variables().into_iter();
        variables.fold(run, |run, (name, value)| run.env(name, value))
    }

    /// The same by somebody with lasting access, who sets things up.
    fn administer(&self, person: &Person, lines: &str) -> Output {
        let run = self.shell(person, lines).env("AWS_ACCESS_KEY_ID", "administrator");
        run.env("AWS_SECRET_ACCESS_KEY", "lasting").run()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // Both are without effect on a server that has ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The server from which a job on GitHub gets its token, for one request; gives what was asked.
fn token_server() -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let asked = lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .collect();
        let body = "{\"count\": 1, \"value\": \"header.claims.signature\"}";
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        asked
    });
    (port, server)
}

/// A job with a token: what the page says, then a command. `settings` are lines that set variables.
fn job(cloud: &Cloud, machine: &Person, trust: &str, settings: &str) -> Run {
    let lines = format!(
        "{}set -a\n{settings}set +a\nsecretree run prod -- ./deploy",
        recipe("token-file").concat()
    );
    cloud
        .shell(machine, &lines)
        .env("CI_TOKEN", "header.claims.signature")
        .env("AWS_ROLE_ARN", ROLE)
        .env("SECRETREE_TRUST", trust)
}

#[test]
fn kms_opens_the_identity_for_a_job_with_a_token() {
    if !require(&TOOLS) {
        return;
    }
    let canary = Canary::new();
    let (_team, machine, key, trust) = team_with_machine(canary.value());
    let cloud = Cloud::start(&machine);
    let file = machine.folder().join("home/ci-prod.txt");
    std::fs::write(
        &file,
        format!(
            "# public key: {}
{key}
",
            machine.public_key()
        ),
    )
    .unwrap();
    let made = "id=$(aws kms create-key --query KeyMetadata.KeyId --output text)\n\
                aws kms create-alias --alias-name alias/ci-prod --target-key-id \"$id\"\n";
    cloud
        .administer(&machine, &(made.to_owned() + &recipe("kms").concat()))
        .code(0);
    assert!(!file.exists());
    let sealed = machine.read("ci-prod.kms");
    assert!(!sealed.windows(key.len()).any(|bytes| bytes == key.as_bytes()));

    let setting = recipe("kms-job").concat();
    job(&cloud, &machine, &trust, &setting).run().code(0).silent();
    assert_eq!(deployed(&machine), canary.value());
    // The same on GitHub, whose job asks for its token.
    std::fs::remove_file(machine.folder().join("home/deployed")).unwrap();
    let (port, server) = token_server();
    let command = setting.trim_end().split_once('=').unwrap().1.trim_matches('"');
    let contexts = [
        ("vars.AWS_REGION", "eu-central-1"),
        ("vars.AWS_ROLE_ARN", ROLE),
        ("vars.SECRETREE_KEY_COMMAND", command),
        ("vars.SECRETREE_TRUST", &trust),
    ];
    let mut runner = Runner::new(&machine, &contexts);
    bring_program(&runner.temporary().join("secretree"));
    let url = format!("http://127.0.0.1:{port}/token?api-version=2.0");
    runner.variables = cloud
        .variables()
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain([
            ("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), "request-token".to_owned()),
        ])
        .collect();
    assert!(runner.run_workflow(&workflow("github-kms")), "{}", runner.log());
    let asked = server.join().unwrap();
    assert_eq!(
        asked[0],
        "GET /token?api-version=2.0&audience=sts.amazonaws.com HTTP/1.1"
    );
    assert!(
        asked.contains(&"Authorization: bearer request-token".to_owned()),
        "{asked:?}"
    );
    assert_eq!(deployed(&machine), canary.value());

    // Without a token `aws` has nothing to show, and says so on standard error.
    let without = job(&cloud, &machine, &trust, &setting)
        .without_env("AWS_ROLE_ARN")
        .run();
    without.code(4).says("SECRETREE_KEY_COMMAND: holds no identity");
    let other = setting.replace("secretree=ci-prod", "secretree=ci-dev");
    job(&cloud, &machine, &trust, &other).run().code(4);
    canary.assert_unseen(machine.sandbox(), &[machine.folder().join("home/deployed")]);
}

#[test]
fn secrets_manager_hands_the_identity_to_a_job_with_a_token() {
    if !require(&TOOLS) {
        return;
    }
    let canary = Canary::new();
    let (_team, machine, key, trust) = team_with_machine(canary.value());
    let cloud = Cloud::start(&machine);
    std::fs::write(machine.folder().join("home/ci-prod.txt"), format!("{key}\n")).unwrap();
    cloud.administer(&machine, &recipe("secrets-manager").concat()).code(0);
    let setting = recipe("secrets-manager-job").concat();
    job(&cloud, &machine, &trust, &setting).run().code(0).silent();
    assert_eq!(deployed(&machine), canary.value());
    let missing = setting.replace("ci-prod", "ci-dev");
    let without = job(&cloud, &machine, &trust, &missing).run();
    without
        .code(4)
        .says("`SECRETREE_KEY_COMMAND` gave no identity: it failed");
    canary.assert_unseen(machine.sandbox(), &[machine.folder().join("home/deployed")]);
}

#[test]
fn a_script_of_the_repository_is_no_key_command() {
    let (_team, machine, key, trust) = team_with_machine("value");
    machine.write("ops/key", format!("#!/bin/sh\ntouch ran\necho {key}\n"));
    machine.command("chmod", ["+x", "ops/key"]).run().succeeds();
    let absolute = machine.work("ops/key").to_str().unwrap().to_owned();
    for command in ["ops/key", "./ops/key", &absolute] {
        machine
            .secretree(["get", "prod", "token"])
            .env("SECRETREE_KEY_COMMAND", command)
            .env("SECRETREE_TRUST", &trust)
            .run()
            .code(1)
            .says("outside the repository");
        assert!(!machine.work("ran").exists(), "{command}");
    }
}
