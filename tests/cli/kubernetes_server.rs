//! As much of a Kubernetes server as `kubectl apply --dry-run=client` asks for: what kinds of things there are, and that
//! none of them is there yet. The client reads the manifest by itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// What the server knows; everything else is missing.
const KNOWN: [(&str, &str); 3] = [
    ("/api", r#"{"kind":"APIVersions","versions":["v1"]}"#),
    ("/apis", r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[]}"#),
    (
        "/api/v1",
        r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"secrets","singularName":"secret","namespaced":true,"kind":"Secret","verbs":["create","get","patch"]}]}"#,
    ),
];
const MISSING: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#;

/// Starts one that ends with the test; the address for `--server`.
pub(crate) fn kubernetes_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    format!("http://{address}")
}

/// One request without a body, one answer, then the connection ends.
fn answer(stream: TcpStream) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let known = KNOWN.iter().find(|(name, _)| *name == path);
    let (status, text) = known.map_or(("404 Not Found", MISSING), |(_, text)| ("200 OK", text));
    let head = "Content-Type: application/json\r\nConnection: close";
    let length = text.len();
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{text}");
    (&stream).write_all(answer.as_bytes()).ok();
}
