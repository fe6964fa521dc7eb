//! As much of a Docker daemon as `docker create` needs: the client reads its files by itself, and here is seen what it
//! made of them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A listener that ends with the test.
pub(crate) struct Daemon {
    socket: PathBuf,
    created: Receiver<serde_json::Value>,
}

impl Daemon {
    /// Listens at this path.
    pub(crate) fn start(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).expect("the sandbox is ours");
        let (sender, created) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.expect("a client"), &sender);
            }
        });
        let socket = socket.to_owned();
        Self { socket, created }
    }

    /// What `DOCKER_HOST` has to be.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// The `NAME=value` pairs of the container that was created.
    pub(crate) fn variables_of_created(&self) -> Vec<String> {
        let asked = self.created.recv_timeout(Duration::from_secs(10));
        let asked = asked.expect("the client asks for a container");
        let pairs = asked["Env"].as_array().expect("a list").iter();
        pairs.map(|pair| pair.as_str().expect("text").to_owned()).collect()
    }
}

/// One request, one answer, then the connection ends.
fn answer(stream: UnixStream, created: &Sender<serde_json::Value>) {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let (status, text) = if request.contains("/containers/create") {
        created.send(serde_json::from_slice(&body).expect("JSON")).ok();
        ("201 Created", r#"{"Id":"1","Warnings":[]}"#)
    } else {
        ("200 OK", "OK")
    };
    let text = if request.starts_with("HEAD") { "" } else { text };
    let head = "Api-Version: 1.41\r\nContent-Type: application/json\r\nConnection: close";
    let answer = format!(
        "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    reader.into_inner().write_all(answer.as_bytes()).ok();
}
