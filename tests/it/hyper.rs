//! hyper's server with hyper's client, both on coro.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use coro::net::TcpStream;
use coro::{gather, sleep, spawn, timeout};
use futures::AsyncReadExt;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};

use crate::net_examples::{connect as blocking, exchange, has, serve};
use crate::support::{Reports, ms};

#[path = "../../examples/support/hyper.rs"]
pub(crate) mod adapter;
#[path = "../../examples/http_hello/server.rs"]
pub(crate) mod server;

use adapter::HyperIo;
use server::Http;

const PATIENCE: Duration = Duration::from_secs(20);

fn start() -> (Http, SocketAddr) {
    let http = Http::start("127.0.0.1:0", PATIENCE).unwrap();
    let address = http.server.local_addr().unwrap();
    (http, address)
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = http1::handshake(HyperIo::new(stream)).await.unwrap();
    spawn(async move { connection.await.unwrap() });
    client
}

async fn ask(client: &mut SendRequest<Full<Bytes>>, path: &str, body: Bytes) -> Bytes {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .body(Full::new(body))
        .unwrap();
    client.ready().await.unwrap();
    let response = client.send_request(request).await.unwrap();
    assert!(response.status().is_success());
    response.into_body().collect().await.unwrap().to_bytes()
}

#[coro::test(real)]
async fn one_connection_is_kept_for_many_requests() {
    let (http, address) = start();
    let mut client = connect(address).await;
    for n in 0..200 {
        let answer = ask(&mut client, &format!("/hello/{n}"), Bytes::new()).await;
        assert_eq!(answer, format!("hello, {n}\n"));
        assert_eq!(http.server.connections(), 1);
    }
    let large: Bytes = (0..3 << 20).map(|at| at as u8).collect();
    assert!(ask(&mut client, "/echo", large.clone()).await == large);
    drop(client);
    assert_eq!(http.stop(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn many_connections_are_served_at_once() {
    let (http, address) = start();
    let clients = (0..50).map(|n| async move {
        let mut client = connect(address).await;
        let body = Bytes::from(format!("client {n}").repeat(1000));
        for _ in 0..5 {
            assert_eq!(ask(&mut client, "/echo", body.clone()).await, body);
        }
        client
    });
    let clients = gather(clients.collect::<Vec<_>>()).await;
    assert_eq!(http.server.connections(), 50);
    drop(clients);
    assert_eq!(http.stop(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn stopping_closes_idle_connections_and_lets_a_request_be_answered() {
    let (http, address) = start();
    let mut idle = connect(address).await;
    ask(&mut idle, "/", Bytes::new()).await;
    let mut busy = TcpStream::connect(address).await.unwrap();
    let head = b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhe";
    futures::AsyncWriteExt::write_all(&mut busy, head)
        .await
        .unwrap();
    sleep(ms(20)).await; // now the server has the first half
    let begun = Instant::now();
    let (cut, answer) = gather((http.stop(PATIENCE), async {
        sleep(ms(20)).await;
        futures::AsyncWriteExt::write_all(&mut busy, b"llo")
            .await
            .unwrap();
        let mut answer = String::new();
        busy.read_to_string(&mut answer).await.unwrap();
        answer
    }))
    .await;
    assert_eq!(cut, 0);
    assert!(begun.elapsed() < PATIENCE / 2);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(idle.ready().await.is_err(), "the idle connection is closed");
}

#[coro::test(real)]
async fn a_client_that_never_sends_a_request_is_not_waited_for() {
    let http = Http::start("127.0.0.1:0", ms(50)).unwrap();
    let address = http.server.local_addr().unwrap();
    let mut silent = TcpStream::connect(address).await.unwrap();
    futures::AsyncWriteExt::write_all(&mut silent, b"GET / HT")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE / 2, silent.read_to_end(&mut rest)).await;
    ended.unwrap().unwrap();
    assert_eq!(http.stop(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn a_client_that_breaks_off_harms_no_other_client() {
    let reports = Reports::here();
    let (http, address) = start();
    for sent in [
        &b""[..],
        b"GET / HTTP/1.1\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1",
    ] {
        let mut client = TcpStream::connect(address).await.unwrap();
        futures::AsyncWriteExt::write_all(&mut client, sent)
            .await
            .unwrap();
    }
    let mut client = connect(address).await;
    assert_eq!(ask(&mut client, "/", Bytes::new()).await, "hello, world\n");
    drop(client);
    assert_eq!(http.stop(PATIENCE).await, 0);
    // If a body ends too early, hyper returns an error from the serving future; it is no failure.
    let reports = reports.take();
    assert_eq!(reports.len(), 0, "{reports:?}");
}

// ---- the example as a program ----

#[test]
fn the_example_prints_what_it_promises() {
    let promised = crate::examples::promised("http_hello");
    assert_eq!(crate::examples::printed("http_hello", "1"), promised);
}

#[test]
fn the_example_answers_a_request_written_by_hand() {
    let (_http, address) = serve("http_hello", &["127.0.0.1:0"]);
    let request = b"GET /hello/you HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = String::from_utf8(exchange(address, request)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello, you\n"), "{answer}");
    let answer = String::from_utf8(exchange(address, b"no HTTP at all\r\n\r\n")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[cfg(unix)]
#[test]
fn the_example_serves_curl_which_keeps_its_connection() {
    if !has("curl") {
        return;
    }
    let (mut http, address) = serve("http_hello", &["127.0.0.1:0"]);
    let idle = blocking(address);
    let urls = ["/hello/a", "/hello/b", "/hello/c"].map(|it| format!("http://{address}{it}"));
    let output = Command::new("curl")
        .args([
            "--silent",
            "--noproxy",
            "*",
            "--write-out",
            "%{num_connects} ",
        ])
        .args(&urls)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "hello, a\n1 hello, b\n0 hello, c\n0 ");
    http.interrupt();
    assert_eq!(http.next_line(), "stopped by Ctrl-C: 0 connections cut");
    assert!(http.end().success());
    drop(idle);
}
