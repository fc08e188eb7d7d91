//! Graceful shutdown of `serve_http`: requests that have begun are answered.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use coro::compat::hyper::serve_http;
use coro::net::TcpStream;
use coro::{gather, sleep, spawn};
use futures::{AsyncReadExt, AsyncWriteExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};

use crate::http::{PATIENCE, ask, connect_http1, ms, start};

#[coro::test(real)]
async fn idle_connections_end_and_a_request_that_has_begun_is_answered() {
    let (server, address) = start();
    let mut idle = connect_http1(address).await;
    ask(&mut idle, "/", "").await;
    let silent = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    let head = b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhe";
    busy.write_all(head).await.unwrap();
    sleep(ms(20)).await; // now the server has the first half
    let begun = Instant::now();
    let (cut, answer) = gather((server.shutdown(PATIENCE), async {
        sleep(ms(20)).await;
        busy.write_all(b"llo").await.unwrap();
        let mut answer = String::new();
        busy.read_to_string(&mut answer).await.unwrap();
        drop(busy);
        answer
    }))
    .await;
    assert_eq!(cut, 0);
    assert!(begun.elapsed() < PATIENCE / 2);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(idle.ready().await.is_err(), "the idle connection is closed");
    drop(silent);
}

#[coro::test(real)]
async fn a_server_that_stops_listening_serves_the_connections_that_it_has() {
    let (server, address) = start();
    let mut kept = connect_http1(address).await;
    ask(&mut kept, "/", "").await;
    let mut fresh = TcpStream::connect(address).await.unwrap();
    while server.connections() < 2 {
        sleep(ms(1)).await;
    }
    server.stop_listening();
    while TcpStream::connect(address).await.is_ok() {
        sleep(ms(1)).await;
    }
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    fresh.write_all(request).await.unwrap();
    let mut answer = String::new();
    fresh.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    ask(&mut kept, "/", "").await;
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn a_request_that_takes_longer_than_the_grace_is_cut() {
    let never = async |_| std::future::pending::<Response<String>>().await;
    let server = serve_http("127.0.0.1:0", never).unwrap();
    let mut client = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write_all(request).await.unwrap();
    while server.connections() == 0 {
        sleep(ms(1)).await;
    }
    assert_eq!(server.shutdown(ms(30)).await, 1);
}

/// A client that goes on until its connection ends; counts the answers.
async fn ask_until_the_end(
    address: std::net::SocketAddr,
    answered: Rc<Cell<u32>>,
    broken: Rc<Cell<u32>>,
) {
    let mut client = connect_http1(address).await;
    loop {
        if client.ready().await.is_err() {
            return;
        }
        let request = Request::get("http://localhost/slow").header("host", "localhost");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let Ok(response) = client.send_request(request).await else {
            return; // it crossed the end on its way, and no answer has begun
        };
        match response.into_body().collect().await {
            Ok(_) => answered.set(answered.get() + 1),
            Err(_) => broken.set(broken.get() + 1),
        }
    }
}

#[coro::test(real)]
async fn under_load_no_request_that_has_begun_is_lost() {
    for round in 0..5 {
        let begun = Rc::<Cell<u32>>::default();
        let (answered, broken) = <(Rc<Cell<u32>>, Rc<Cell<u32>>)>::default();
        let count = begun.clone();
        let slow = move |_: Request<Incoming>| {
            count.set(count.get() + 1);
            async {
                sleep(ms(3)).await;
                Response::new(Full::<Bytes>::from(vec![b'x'; 20_000]))
            }
        };
        let server = serve_http("127.0.0.1:0", slow).unwrap();
        let address = server.local_addr().unwrap();
        let client = |_| spawn(ask_until_the_end(address, answered.clone(), broken.clone()));
        let clients: Vec<_> = (0..40).map(client).collect();
        while begun.get() < 200 {
            sleep(ms(1)).await;
        }
        sleep(ms(round)).await; // at another phase of the load
        assert_eq!(server.shutdown(PATIENCE).await, 0);
        for client in clients {
            client.await.unwrap();
        }
        assert_eq!((answered.get(), broken.get()), (begun.get(), 0));
    }
}
