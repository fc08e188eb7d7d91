//! The limits of connections, bytes and time; and the metrics that show them.

use std::process::Command;

use coro::io::AsyncWriteExt;
use coro::net::TcpStream;
use coro::timeout;

use crate::client::{get, post, read_answer, until_metrics_say};
use crate::process::{Service, ms};

#[coro::test(real)]
async fn a_body_that_is_too_large_is_refused_and_one_that_fits_is_not() {
    let service = Service::start(&["--bytes", "1000"]);
    let (address, _) = service.addresses();
    let fits = "x".repeat(1000);
    assert_eq!(post(address, "/echo", &fits).await.unwrap(), (200, fits));
    let answer = post(address, "/echo", &"x".repeat(1001)).await.unwrap();
    assert_eq!(answer, (413, "at most 1000 bytes\n".to_owned()));
}

#[coro::test(real)]
async fn a_request_that_takes_too_long_is_given_up_also_while_its_body_comes() {
    let service = Service::start(&["--request-ms", "200"]);
    let (address, _) = service.addresses();
    assert_eq!(get(address, "/slow/60000").await.unwrap().0, 503);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhe";
    stream.write_all(head).await.unwrap();
    let answer = read_answer(&mut stream).await.unwrap();
    assert_eq!(answer, (503, "this took too long\n".to_owned()));
}

#[coro::test(real)]
async fn clients_beyond_the_limit_wait_and_monitors_do_not() {
    let service = Service::start(&["--connections", "2"]);
    let (address, operators) = service.addresses();
    let first = TcpStream::connect(address).await.unwrap();
    let second = TcpStream::connect(address).await.unwrap();
    let third = async { get(address, "/").await.unwrap() };
    let mut third = Box::pin(third);
    assert!(
        timeout(ms(200), &mut third).await.is_err(),
        "it waits in the queue"
    );
    assert_eq!(get(operators, "/ready").await.unwrap().0, 200);
    drop(first);
    assert_eq!(third.await.0, 200);
    drop(second);
}

#[coro::test(real)]
async fn the_metrics_count_requests_by_route_and_status() {
    let service = Service::start(&[]);
    let (address, operators) = service.addresses();
    for _ in 0..3 {
        get(address, "/").await.unwrap();
    }
    assert_eq!(get(address, "/nothing").await.unwrap().0, 404);
    assert_eq!(get(address, "/slow/never").await.unwrap().0, 400);
    assert_eq!(post(address, "/", "").await.unwrap().0, 405);
    let kept = TcpStream::connect(address).await.unwrap();
    until_metrics_say(operators, "http_connections 1").await;
    let (status, metrics) = get(operators, "/metrics").await.unwrap();
    assert_eq!(status, 200);
    for line in [
        "# TYPE http_requests_total counter",
        "http_requests_total{route=\"/\",status=\"200\"} 3",
        "http_requests_total{route=\"/\",status=\"405\"} 1",
        "http_requests_total{route=\"/slow\",status=\"400\"} 1",
        "http_requests_total{route=\"other\",status=\"404\"} 1",
        "http_request_seconds_bucket{route=\"/\",le=\"10\"} 4",
        "http_connections 1",
        "http_requests_underway 0",
    ] {
        assert!(
            metrics.lines().any(|it| it == line),
            "no {line:?} in {metrics}"
        );
    }
    assert!(metrics.contains("\nloop_tasks "), "{metrics}");
    drop(kept);
}

#[coro::test(real)]
async fn arguments_that_make_no_sense_are_explained() {
    for arguments in [
        ["--connections", "0"],
        ["--grace-ms", "soon"],
        ["--nothing", "1"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.args(arguments);
        let mut service = Service::spawn(command);
        assert_eq!(service.ended().await.code(), Some(2));
        service.line(&format!("{}: this makes no sense", arguments[0]));
        service.line("usage: service");
    }
}
