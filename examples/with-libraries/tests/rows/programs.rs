//! The programs of `src/bin`, each run and compared with the promise in its head.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_tungstenite::tungstenite::Message;
use coro::net::TcpStream;
use coro::{sleep, timeout};
use futures::StreamExt;

use crate::http::{PATIENCE, ms};
use crate::peers::{Peer, directory, find};

/// The path of a program of this package.
macro_rules! program {
    ($name:literal) => {
        (
            concat!("src/bin/", $name, ".rs"),
            env!(concat!("CARGO_BIN_EXE_", $name)),
        )
    };
}

/// The output that the head of a program promises: the lines after its first command.
fn promised(source: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let text = fs::read_to_string(path).unwrap();
    let head = text.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = head.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let block = lines
        .skip_while(|line| !line.starts_with("$ cargo run"))
        .skip(1);
    block
        .take_while(|line| *line != "```")
        .map(|line| format!("{line}\n"))
        .collect()
}

fn keeps_its_promise((source, program): (&str, &str), arguments: &[String]) {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{source}: {output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        promised(source),
        "{source}"
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{source}");
}

#[test]
fn the_programs_without_a_server_print_what_they_promise() {
    for program in [
        program!("http_hello"),
        program!("axum_api"),
        program!("websocket_chat"),
        program!("reqwest_crawl"),
        program!("grpc"),
        program!("quic"),
    ] {
        keeps_its_promise(program, &[]);
    }
}

#[test]
fn the_programs_with_a_server_print_what_they_promise() {
    for (program, peer) in [
        (program!("redis_client"), Peer::redis()),
        (program!("postgres"), Peer::postgres()),
    ] {
        if let Some(peer) = peer {
            keeps_its_promise(program, &[peer.address.to_string()]);
        }
    }
}

#[test]
fn the_programs_whose_server_is_missing_say_so() {
    let address = crate::peers::free_address().to_string();
    for (_, program) in [program!("redis_client"), program!("postgres")] {
        let output = Command::new(program).arg(&address).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.starts_with(b"skipped: no "), "{output:?}");
    }
}

#[test]
fn senseless_arguments_are_refused() {
    for (_, program) in [program!("http_hello"), program!("postgres")] {
        let output = Command::new(program)
            .args(["a", "b", "c"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            output
                .stderr
                .starts_with(b"error: these arguments make no sense")
        );
    }
}

/// A program that serves, with the address that it says.
struct Serving {
    child: Child,
    address: String,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Serving {
    fn start(program: &str) -> Serving {
        let mut command = Command::new(program);
        command
            .args(["serve", "127.0.0.1:0"])
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.strip_prefix("listening on ").unwrap();
        let address = address.strip_suffix(", until Ctrl-C").unwrap().to_owned();
        Serving {
            child,
            address,
            lines,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_ctrl_c_finishes_what_has_begun() {
    for (path, program) in [
        ("/hello/you", program!("http_hello")),
        ("/wait/100", program!("axum_api")),
    ] {
        let mut serving = Serving::start(program.1);
        let mut stream = std::net::TcpStream::connect(&serving.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        std::thread::sleep(ms(30));
        let id = serving.child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(kill.success());
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        drop(stream);
        let last = serving.lines.next().unwrap().unwrap();
        assert_eq!(last, "stopped by Ctrl-C: 0 connections cut");
        assert!(serving.child.wait().unwrap().success());
    }
}

/// A browser that shows a page until the test ends.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[coro::test(real)]
async fn a_browser_joins_the_chat_by_its_page() {
    let Some(chromium) = find("chromium") else {
        return;
    };
    let serving = Serving::start(program!("websocket_chat").1);
    let address = serving.address.clone();
    let stream = TcpStream::connect(address.as_str()).await.unwrap();
    let url = format!("ws://{address}/chat/rust");
    let (mut socket, _) = async_tungstenite::client_async(url, stream).await.unwrap();
    let mut hear = async || {
        socket
            .next()
            .await
            .unwrap()
            .unwrap()
            .into_text()
            .unwrap()
            .to_string()
    };
    assert_eq!(hear().await, "rust came in");
    let profile = directory();
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--remote-debugging-port=0", // so that the page stays open
    ];
    let child = Command::new(chromium)
        .args(flags)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://{address}/#browser"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let browser = Browser(child);
    let came = timeout(Duration::from_secs(60), hear()).await.unwrap();
    assert_eq!(came, "browser came in");
    socket.send(Message::text("hello, browser")).await.unwrap();
    assert_eq!(
        socket
            .next()
            .await
            .unwrap()
            .unwrap()
            .into_text()
            .unwrap()
            .as_str(),
        "rust: hello, browser"
    );
    drop(browser);
    let left = timeout(PATIENCE, socket.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(left.into_text().unwrap().as_str(), "browser left");
    let begun = Instant::now();
    while fs::remove_dir_all(&profile).is_err() && begun.elapsed() < PATIENCE {
        sleep(ms(20)).await; // the processes of the browser still write to it
    }
}
