//! SIGTERM, which drains, and SIGUSR1, which dumps; and the pages that tell of it.

use coro::gather;
use coro::io::AsyncWriteExt;
use coro::net::TcpStream;

use crate::client::{get, read_answer, until_metrics_say};
use crate::process::{Service, until};

#[coro::test(real)]
async fn a_sigterm_gives_notice_then_finishes_the_requests_that_have_begun() {
    let mut service = Service::start(&["--notice-ms", "1000", "--linger-ms", "300"]);
    let (address, operators) = service.addresses();
    assert_eq!(
        get(operators, "/live").await.unwrap(),
        (200, "live\n".to_owned())
    );
    assert_eq!(
        get(operators, "/ready").await.unwrap(),
        (200, "ready\n".to_owned())
    );
    let (slow, ()) = gather((get(address, "/slow/3000"), async {
        until_metrics_say(operators, "http_requests_underway 1").await;
        service.signal("-TERM");
        until(async || get(operators, "/ready").await.unwrap().0 == 503).await;
        assert_eq!(get(operators, "/live").await.unwrap().0, 200);
        // In the time of notice the clients that still come are served.
        assert_eq!(get(address, "/").await.unwrap().0, 200);
        until(async || TcpStream::connect(address).await.is_err()).await;
    }))
    .await;
    assert_eq!(slow.unwrap(), (200, "that was slow\n".to_owned()));
    assert!(service.ended().await.success());
    assert!(service.log().contains("drained, 0 connections cut"));
}

#[coro::test(real)]
async fn a_client_that_was_accepted_and_has_not_asked_yet_is_answered_while_it_drains() {
    let mut service = Service::start(&["--linger-ms", "2000"]);
    let (address, operators) = service.addresses();
    let mut fresh = TcpStream::connect(address).await.unwrap();
    until_metrics_say(operators, "http_connections 1").await;
    service.signal("-TERM");
    until(async || TcpStream::connect(address).await.is_err()).await;
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    fresh.write_all(request).await.unwrap();
    assert_eq!(read_answer(&mut fresh).await.unwrap().0, 200);
    assert!(service.ended().await.success());
}

#[coro::test(real)]
async fn requests_longer_than_the_grace_are_cut_and_counted() {
    let mut service = Service::start(&["--linger-ms", "10", "--grace-ms", "50"]);
    let (address, operators) = service.addresses();
    let (slow, ()) = gather((get(address, "/slow/9000"), async {
        until_metrics_say(operators, "http_requests_underway 1").await;
        service.signal("-INT");
    }))
    .await;
    assert!(slow.is_err(), "{slow:?}");
    assert!(service.ended().await.success());
    assert!(service.log().contains("drained, 1 connections cut"));
}

#[coro::test(real)]
async fn a_sigusr1_writes_the_tasks_with_the_lines_at_which_they_wait() {
    let service = Service::start(&[]);
    let (address, operators) = service.addresses();
    let (slow, ()) = gather((get(address, "/slow/1000"), async {
        until_metrics_say(operators, "http_requests_underway 1").await;
        service.signal("-USR1");
    }))
    .await;
    assert_eq!(slow.unwrap().0, 200);
    let line = service.line("awaits Sleep");
    assert!(line.contains("src/app.rs"), "{line}");
    assert_eq!(get(address, "/").await.unwrap().0, 200);
}
