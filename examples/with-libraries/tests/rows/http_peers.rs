//! `serve_http` and hyper's clients, with curl, h2load and nginx as their other ends.

use std::process::Command;

use coro::compat::hyper::Io;
use coro::net::TcpStream;
use coro::spawn;
use coro::threads::to_thread;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;

use crate::http::{PATIENCE, start};
use crate::peers::{Peer, find};

/// The output of a program, which runs on another thread meanwhile.
async fn output(program: &'static str, arguments: Vec<String>) -> Option<String> {
    let program = find(program)?;
    let run = move || Command::new(program).args(arguments).output().unwrap();
    let output = to_thread(run).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[coro::test(real)]
async fn curl_speaks_both_versions_and_keeps_its_connection() {
    let (server, address) = start();
    let url = |path: &str| format!("http://{address}{path}");
    // Old versions of curl cannot use a connection of HTTP/2 again without TLS.
    for (version, paths, expected) in [
        (
            "--http1.1",
            &["/a", "/b", "/c"][..],
            "/a 1.1 1 /b 1.1 0 /c 1.1 0 ",
        ),
        ("--http2-prior-knowledge", &["/d"], "/d 2 1 "),
    ] {
        let format = " %{http_version} %{num_connects} ";
        let fixed = ["--silent", "--noproxy", "*", version, "--write-out", format];
        let mut arguments = fixed.map(String::from).to_vec();
        arguments.extend(paths.iter().map(|path| url(path)));
        let Some(said) = output("curl", arguments).await else {
            return;
        };
        assert_eq!(said, expected);
    }
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn h2load_gets_an_answer_to_each_of_ten_thousand_requests() {
    let (server, address) = start();
    for version in [&["--h1"][..], &["-m", "20"]] {
        let mut arguments = ["-n", "5000", "-c", "10"].map(String::from).to_vec();
        arguments.extend(version.iter().map(ToString::to_string));
        arguments.push(format!("http://{address}/hello"));
        let Some(said) = output("h2load", arguments).await else {
            return;
        };
        let line = said.lines().find(|line| line.starts_with("status codes"));
        let expected = "status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx";
        assert_eq!(line, Some(expected), "{said}");
    }
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn hypers_client_reads_files_of_nginx() {
    let Some(nginx) = Peer::nginx() else {
        return;
    };
    let stream = Io::new(TcpStream::connect(nginx.address).await.unwrap()); // glue
    let (mut client, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    spawn(async move { connection.await.unwrap() });
    for (path, len) in [("/small", 13), ("/large", 300_000), ("/small", 13)] {
        let request = Request::get(path).header("host", "localhost");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), len);
    }
}
