//! Load on hyper, rustls, async-tungstenite and `futures`, while a dump is taken each millisecond.
//!
//! `CORO_LOAD_SECONDS=10 cargo test -p with-libraries under_dumps` is a longer run.

use std::cell::Cell;
use std::time::{Duration, Instant};

use async_tungstenite::tungstenite::protocol::Message;
use coro::net::tls::{
    TlsAcceptor, TlsConnector, TlsStream, certificates_from_pem, private_key_from_pem,
};
use coro::net::{Server, TcpStream, start_server};
use coro::{LoopHandle, gather, sleep, spawn};
use futures::channel::{mpsc, oneshot};
use futures::stream::FuturesUnordered;
use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};

use crate::http::{PATIENCE, ask, connect_http1, ms};

/// For how long there is load, unless `CORO_LOAD_SECONDS` says otherwise.
const SECONDS: f64 = 1.0;

fn load() -> Duration {
    let wish = std::env::var("CORO_LOAD_SECONDS").map(|text| text.parse().unwrap());
    Duration::from_secs_f64(wish.unwrap_or(SECONDS))
}

/// Calls `work` again and again until the time is over; gives how often.
async fn repeat(until: Instant, mut work: impl AsyncFnMut(u32)) -> u32 {
    let mut round = 0;
    while Instant::now() < until {
        work(round).await;
        round += 1;
    }
    round
}

/// Bytes that are others in each round.
fn bytes_of(round: u32, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at as u32 * 7 + round) as u8).collect()
}

async fn requests(until: Instant) -> u32 {
    let (server, address) = crate::http::start();
    let mut client = connect_http1(address).await;
    let rounds = repeat(until, async |round| {
        let path = format!("/hello/{round}");
        assert_eq!(ask(&mut client, &path, "").await, path);
        let body = bytes_of(round, 40_000);
        assert!(ask(&mut client, "/echo", body.clone()).await == body);
    });
    let rounds = rounds.await;
    drop(client);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
    rounds
}

async fn websocket(until: Instant) -> u32 {
    let (server, address) = crate::upgrades::start();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/");
    let (mut socket, _) = async_tungstenite::client_async(url, stream).await.unwrap();
    let rounds = repeat(until, async |round| {
        for message in [
            Message::text(round.to_string()),
            Message::binary(bytes_of(round, 30_000)),
        ] {
            socket.send(message.clone()).await.unwrap();
            assert!(socket.next().await.unwrap().unwrap() == message);
        }
    });
    let rounds = rounds.await;
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    assert_eq!(server.shutdown(PATIENCE).await, 0);
    rounds
}

/// A server that sends back what it receives, and a client of it, over TLS.
async fn over_tls() -> (Server, TlsStream<TcpStream>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = certificates_from_pem(made.cert.pem()).unwrap();
    let key = private_key_from_pem(made.signing_key.serialize_pem()).unwrap();
    let connector = TlsConnector::builder().root_certificates(chain.clone());
    let connector = connector.build().unwrap();
    let acceptor = TlsAcceptor::new(chain, key).unwrap();
    let echo = async move |stream: TcpStream, _| {
        let (reader, writer) = acceptor.accept(stream).await?.split();
        coro::net::copy(reader, writer).await.map(drop)
    };
    let server = start_server("127.0.0.1:0", echo).unwrap();
    let stream = TcpStream::connect(server.local_addr().unwrap());
    let client = connector.connect("localhost", stream.await.unwrap());
    let client = client.await.unwrap();
    (server, client)
}

async fn tls(until: Instant) -> u32 {
    let (server, mut client) = over_tls().await;
    let rounds = repeat(until, async |round| {
        let sent = bytes_of(round, 30_000);
        let mut received = vec![0; sent.len()];
        client.write_all(&sent).await.unwrap();
        client.flush().await.unwrap();
        client.read_exact(&mut received).await.unwrap();
        assert!(sent == received);
    });
    let rounds = rounds.await;
    client.close().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
    rounds
}

async fn unordered(until: Instant) -> u32 {
    repeat(until, async |_| {
        let wait = async |n: u32| {
            sleep(Duration::from_micros(u64::from(n * 37 % 11) * 100)).await;
            n
        };
        let all: FuturesUnordered<_> = (0..50).map(wait).collect();
        let mut seen: Vec<u32> = all.collect().await;
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..50));
    })
    .await
}

async fn channels(until: Instant) -> u32 {
    repeat(until, async |round| {
        let (mut send, receive) = mpsc::channel(3);
        let sending = spawn(async move {
            for n in 0..100 {
                send.send(n).await.unwrap();
                if n % 10 == 0 {
                    coro::yield_now().await;
                }
            }
        });
        let received: Vec<u32> = receive.collect().await;
        assert!(received.into_iter().eq(0..100));
        sending.await.unwrap();
        let (once, value) = oneshot::channel();
        let thread = std::thread::spawn(move || once.send(round));
        assert_eq!(value.await, Ok(round));
        thread.join().unwrap().unwrap();
    })
    .await
}

#[coro::test(real)]
async fn no_byte_and_no_request_is_lost_under_a_dump_each_millisecond() {
    let dumps = std::rc::Rc::new(Cell::new(0));
    let counted = dumps.clone();
    let dumping = spawn(async move {
        loop {
            let tree = LoopHandle::current().dump().await;
            assert!(!tree.tasks().is_empty() && !tree.to_string().is_empty());
            counted.set(counted.get() + 1);
            sleep(ms(1)).await;
        }
    });
    let dumping = dumping.cancel_on_drop();
    let until = Instant::now() + load();
    let loads = (
        requests(until),
        websocket(until),
        tls(until),
        unordered(until),
        channels(until),
    );
    let rounds = gather(loads).await;
    drop(dumping);
    println!("{rounds:?} rounds under {} dumps", dumps.get());
    assert!(dumps.get() > 20);
    let (http, websocket, tls, unordered, channels) = rounds;
    assert!(
        [http, websocket, tls, unordered, channels]
            .iter()
            .all(|&rounds| rounds > 0)
    );
}
