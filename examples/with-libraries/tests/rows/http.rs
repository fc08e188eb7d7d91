//! `serve_http`, with hyper's own clients of HTTP/1 and HTTP/2 on coro.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::compat::hyper::{Executor, HttpServer, Io, serve_http};
use coro::net::{TcpListener, TcpStream};
use coro::{LoopHandle, gather, sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// Answers with the path, or with the body if there is one.
pub(crate) async fn echo(request: Request<Incoming>) -> Response<BoxBody<Bytes, hyper::Error>> {
    let path = request.uri().path().to_owned();
    let body = match path.as_str() {
        "/echo" => request.into_body().boxed(),
        "/slow" => {
            sleep(ms(30)).await;
            Full::from(path).map_err(|never| match never {}).boxed()
        }
        _ => Full::from(path).map_err(|never| match never {}).boxed(),
    };
    Response::new(body)
}

fn request(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let uri = format!("http://localhost{path}");
    Request::post(uri).body(Full::new(body.into())).unwrap()
}

async fn body_of(response: Response<Incoming>) -> Bytes {
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap().to_bytes()
}

pub(crate) type Http1 = http1::SendRequest<Full<Bytes>>;

pub(crate) async fn connect_http1(address: SocketAddr) -> Http1 {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = http1::handshake(Io::new(stream)).await.unwrap(); // glue
    spawn(async move { connection.await.unwrap() });
    client
}

async fn connect_http2(address: SocketAddr) -> http2::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = http2::handshake(Executor, Io::new(stream)).await.unwrap(); // glue
    spawn(async move { connection.await.unwrap() });
    client
}

pub(crate) async fn ask(client: &mut Http1, path: &str, body: impl Into<Bytes>) -> Bytes {
    client.ready().await.unwrap();
    let mut request = request(path, body);
    let host = hyper::header::HeaderValue::from_static("localhost");
    request.headers_mut().insert("host", host);
    body_of(client.send_request(request).await.unwrap()).await
}

pub(crate) fn start() -> (HttpServer, SocketAddr) {
    let server = serve_http("127.0.0.1:0", echo).unwrap(); // glue
    let address = server.local_addr().unwrap();
    (server, address)
}

#[coro::test(real)]
async fn http1_keeps_a_connection_for_many_requests() {
    let (server, address) = start();
    let mut client = connect_http1(address).await;
    for n in 0..200 {
        let path = format!("/hello/{n}");
        assert_eq!(ask(&mut client, &path, "").await, path);
        assert_eq!(server.connections(), 1);
    }
    let large: Bytes = (0..3 << 20).map(|at| at as u8).collect();
    assert!(ask(&mut client, "/echo", large.clone()).await == large);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn http2_multiplexes_requests_on_one_connection() {
    let (server, address) = start();
    let client = connect_http2(address).await;
    let requests = (0..100).map(|n| {
        let mut client = client.clone();
        async move {
            let body = Bytes::from(vec![n as u8; n * 1000]);
            let response = client.send_request(request("/echo", body.clone())).await;
            assert!(body_of(response.unwrap()).await == body);
        }
    });
    gather(requests.collect::<Vec<_>>()).await;
    assert_eq!(server.connections(), 1);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn ten_thousand_requests_lose_none() {
    ten_thousand_requests().await;
}

#[coro::test(real)]
async fn ten_thousand_requests_lose_none_under_a_dump_each_millisecond() {
    let dumping = spawn(async {
        loop {
            let tree = LoopHandle::current().dump().await;
            assert!(!tree.tasks().is_empty());
            sleep(ms(1)).await;
        }
    });
    ten_thousand_requests().await;
    dumping.cancel();
}

async fn ten_thousand_requests() {
    let (server, address) = start();
    let of_http1 = async |first: usize| {
        let mut client = connect_http1(address).await;
        for n in first..first + 100 {
            assert_eq!(
                ask(&mut client, "/echo", n.to_string()).await,
                n.to_string()
            );
        }
        100
    };
    let of_http2 = async |first: usize| {
        let client = connect_http2(address).await;
        let requests = (first..first + 1000).map(|n| {
            let mut client = client.clone();
            async move {
                let sent = client.send_request(request("/echo", n.to_string())).await;
                assert_eq!(body_of(sent.unwrap()).await, n.to_string());
                1
            }
        });
        gather(requests.collect::<Vec<_>>()).await.iter().sum()
    };
    let by_http1 = gather((0..50).map(|n| of_http1(n * 100)).collect::<Vec<_>>());
    let by_http2 = gather((0..5).map(|n| of_http2(n * 1000)).collect::<Vec<_>>());
    let (by_http1, by_http2) = gather((by_http1, by_http2)).await;
    let answered: usize = by_http1.iter().chain(&by_http2).sum();
    assert_eq!(answered, 10_000);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn functions_and_services_with_state_of_the_loop_are_served() {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    let closure = serve_http("127.0.0.1:0", move |_| {
        counted.set(counted.get() + 1);
        let counted = counted.clone();
        async move { Ok::<_, Infallible>(Response::new(counted.get().to_string())) }
    });
    let closure = closure.unwrap();
    let of_hyper = service_fn(async |_| Ok::<_, Infallible>(Response::new("hyper".to_owned())));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let of_hyper = serve_http(listener, of_hyper).unwrap();
    let of_tower = tower::service_fn(async |_| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("tower")))
    });
    let of_tower = serve_http("127.0.0.1:0", of_tower).unwrap();
    for (server, expected) in [(&closure, "1"), (&of_hyper, "hyper"), (&of_tower, "tower")] {
        let mut client = connect_http1(server.local_addr().unwrap()).await;
        assert_eq!(ask(&mut client, "/", "").await, expected);
    }
    assert_eq!(count.get(), 1);
}

#[coro::test(real)]
async fn a_silent_client_and_half_a_head_are_cut_and_not_reported() {
    let builder = HttpServer::builder().header_timeout(ms(50));
    let server = builder.start("127.0.0.1:0", echo).unwrap();
    let address = server.local_addr().unwrap();
    for first in ["", "GET / HT", "PRI * HTTP/2"] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(first.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, client.read_to_end(&mut rest)).await;
        let _ = ended.expect("the server cuts it"); // in order, or by a reset
    }
    // A second head counts from its first byte, and not from the end of the answer before.
    let mut client = TcpStream::connect(address).await.unwrap();
    for head in ["GET / HTTP/1.1\r\nhost: x\r\n\r\n", "GET / HTTP/1.1\r\nho"] {
        sleep(ms(10)).await;
        client.write_all(head.as_bytes()).await.unwrap();
    }
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, client.read_to_end(&mut rest)).await;
    let _ = ended.expect("the server cuts it");
    assert!(rest.starts_with(b"HTTP/1.1 200 OK"));
    server.close();
    server.wait_closed().await;
}

#[coro::test(real)]
async fn an_idle_connection_ends_in_order_and_a_busy_one_does_not() {
    let builder = HttpServer::builder()
        .idle_timeout(ms(60))
        .header_timeout(ms(20));
    let slow = async |request: Request<Incoming>| {
        let wait = if request.uri().path() == "/slow" {
            200
        } else {
            0
        };
        sleep(ms(wait)).await;
        Response::new(Full::<Bytes>::from("done"))
    };
    let server = builder.start("127.0.0.1:0", slow).unwrap();
    let address = server.local_addr().unwrap();
    let mut client = connect_http1(address).await;
    assert_eq!(ask(&mut client, "/slow", "").await, "done");
    sleep(ms(30)).await; // longer than a head may take
    assert_eq!(ask(&mut client, "/", "").await, "done");
    let mut other = connect_http2(address).await;
    let answer = other.send_request(request("/slow", "")).await.unwrap();
    assert_eq!(body_of(answer).await, "done");
    let idle_ends = async {
        while server.connections() > 0 {
            sleep(ms(5)).await;
        }
    };
    timeout(PATIENCE, idle_ends).await.unwrap();
    assert!(client.ready().await.is_err());
    assert!(other.ready().await.is_err());
}

#[coro::test(real)]
async fn an_idle_connection_ends_on_time_though_a_head_may_take_longer() {
    let builder = HttpServer::builder()
        .idle_timeout(ms(50))
        .header_timeout(PATIENCE * 10);
    let server = builder.start("127.0.0.1:0", echo).unwrap();
    let address = server.local_addr().unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    sleep(ms(100)).await; // not idle, as the head has begun
    client.write_all(b"st: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let ended = timeout(PATIENCE, client.read_to_string(&mut answer)).await;
    ended.expect("the server ends it").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[coro::test(real)]
async fn an_answer_arrives_whole_whether_or_not_its_parts_are_written_together() {
    let repeated = async |request: Request<Incoming>| {
        let len = request.uri().path()[1..].parse().unwrap();
        Response::new(Full::<Bytes>::from("x".repeat(len)))
    };
    let server = serve_http("127.0.0.1:0", repeated).unwrap();
    let mut client = connect_http1(server.local_addr().unwrap()).await;
    for len in [0, 1, 3_900, 4_000, 4_096, 100_000, 7] {
        let answer = ask(&mut client, &format!("/{len}"), "").await;
        assert_eq!(answer.len(), len);
    }
}

/// The handler of `#[coro::test]` fails a test in which anything is reported.
#[coro::test(real)]
async fn clients_that_break_off_or_talk_nonsense_harm_no_other_client() {
    let (server, address) = start();
    for sent in [
        &b""[..],
        b"GET / HTTP/1.1\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1",
        b"no HTTP at all\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nand then nonsense",
    ] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(sent).await.unwrap();
    }
    let reset = TcpStream::connect(address).await.unwrap();
    reset.set_linger(Some(Duration::ZERO)).unwrap();
    (&reset)
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(ms(5)).await;
    drop(reset);
    let mut client = connect_http1(address).await;
    assert_eq!(ask(&mut client, "/still", "").await, "/still");
    drop(client);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn an_error_of_the_service_breaks_off_its_connection_and_is_reported() {
    let reports = Rc::<Cell<u32>>::default();
    let seen = reports.clone();
    LoopHandle::current().set_exception_handler(move |report| {
        assert!(report.message.contains("as it should"), "{report}");
        seen.set(seen.get() + 1);
    });
    let fails = async |_| Err::<Response<String>, _>("as it should");
    let server = serve_http("127.0.0.1:0", fails).unwrap();
    let mut client = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    server.close();
    server.wait_closed().await;
    sleep(ms(1)).await;
    assert_eq!(reports.get(), 1);
}

/// An answer is not lost though its client sends more than the server reads.
#[coro::test(real)]
async fn a_request_that_is_refused_in_its_midst_gets_its_answer() {
    let refuse = async |_| {
        let response = Response::builder()
            .status(413)
            .header("connection", "close");
        response.body(Full::<Bytes>::from("too large"))
    };
    let server = serve_http("127.0.0.1:0", refuse).unwrap();
    let stream = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    let sends = async {
        let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n";
        (&stream).write_all(head).await.unwrap();
        for _ in 0..400 {
            if (&stream).write_all(&[0; 10_000]).await.is_err() {
                break;
            }
        }
    };
    let reads = async {
        let mut answer = Vec::new();
        (&stream).read_to_end(&mut answer).await.map(|_| answer)
    };
    let ((), answer) = gather((sends, reads)).await;
    let answer = String::from_utf8(answer.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.ends_with("too large"), "{answer}");
}

#[coro::test(real)]
async fn one_version_alone_is_served_if_the_server_says_so() {
    let only = [
        HttpServer::builder().http1_only(),
        HttpServer::builder().http2_only(),
    ];
    let [one, two] = only.map(|builder| builder.start("127.0.0.1:0", echo).unwrap());
    let mut client = connect_http1(one.local_addr().unwrap()).await;
    assert_eq!(ask(&mut client, "/1", "").await, "/1");
    let mut client = connect_http2(two.local_addr().unwrap()).await;
    let answer = client.send_request(request("/2", "")).await.unwrap();
    assert_eq!(body_of(answer).await, "/2");
}

#[cfg(unix)]
#[coro::test(real)]
async fn a_connection_over_a_unix_socket_is_served() {
    use coro::net::{UnixListener, UnixStream};

    let path = crate::peers::directory().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        HttpServer::builder()
            .serve_connection(stream, echo)
            .await
            .unwrap();
    };
    let asking = async {
        let stream = UnixStream::connect(&path).await.unwrap();
        let (mut client, connection) = http1::handshake(Io::new(stream)).await.unwrap();
        spawn(async move { connection.await.unwrap() });
        assert_eq!(ask(&mut client, "/by/unix", "").await, "/by/unix");
    };
    gather((serving, asking)).await;
}
