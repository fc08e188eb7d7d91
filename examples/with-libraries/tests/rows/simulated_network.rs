//! Whole programs on three simulated hosts: streams, a `Protocol`, hyper.

use std::io;
use std::net::SocketAddr;

use coro::compat::hyper::{Io, serve_http};
use coro::net::{Protocol, TcpStream, Transport, create_server, open_connection, start_server};
use coro::testing::{Faults, Sim, explore};
use coro::{gather, spawn};
use futures::{AsyncReadExt, AsyncWriteExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};

use crate::http::ms;

/// Sends back all that it is sent.
pub(crate) async fn streams() -> io::Result<()> {
    let echo = |mut stream: TcpStream, _: SocketAddr| async move {
        let mut buffer = [0; 64];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return io::Result::Ok(()),
                len => stream.write_all(&buffer[..len]).await?,
            }
        }
    };
    start_server("0.0.0.0:7", echo)?.wait_closed().await;
    Ok(())
}

#[derive(Default)]
struct Shout(Option<Transport>);

impl Protocol for Shout {
    fn connection_made(&mut self, transport: &Transport) {
        self.0 = Some(transport.clone());
    }

    fn data_received(&mut self, data: &[u8]) {
        self.0.as_ref().unwrap().write(&data.to_ascii_uppercase());
    }
}

async fn protocol() -> io::Result<()> {
    create_server(Shout::default, "0.0.0.0:8")?
        .wait_closed()
        .await;
    Ok(())
}

async fn greet(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let name = path.strip_prefix("/hello/").unwrap_or("nobody");
    Response::new(Full::new(Bytes::from(format!("hello, {name}\n"))))
}

pub(crate) async fn web() -> io::Result<()> {
    serve_http("0.0.0.0:80", greet)?.wait_closed().await;
    Ok(())
}

/// Sends bytes in two parts, and reads as many back.
pub(crate) async fn exchange(host: &str, port: u16, text: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = open_connection(host, port).await?;
    let (first, second) = text.split_at(text.len() / 2);
    stream.write_all(first).await?;
    stream.write_all(second).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

pub(crate) async fn get(host: &str, path: &str) -> io::Result<Bytes> {
    let stream = open_connection(host, 80).await?;
    let shaken = http1::handshake(Io::new(stream)).await;
    let (mut client, connection) = shaken.map_err(io::Error::other)?;
    let connection = spawn(connection);
    let request = Request::builder().uri(path).header("host", host);
    let request = request
        .body(Full::new(Bytes::new()))
        .map_err(io::Error::other)?;
    let answer = client
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    let body = answer
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?;
    drop(client);
    connection.await.unwrap().map_err(io::Error::other)?;
    Ok(body.to_bytes())
}

/// Three hosts, and the test as their client.
pub(crate) async fn three_hosts(sim: &Sim) -> io::Result<()> {
    sim.latency(ms(1), ms(5));
    let _hosts = [
        sim.host("streams", streams),
        sim.host("protocol", protocol),
        sim.host("web", web),
    ];
    coro::sleep(ms(1)).await;
    let (echoed, shouted, greeted) = gather((
        exchange("streams", 7, b"as it is"),
        exchange("protocol", 8, b"in capitals"),
        get("web", "/hello/17"),
    ))
    .await;
    assert_eq!(echoed?, b"as it is");
    assert_eq!(shouted?, b"IN CAPITALS");
    assert_eq!(greeted?, "hello, 17\n");
    Ok(())
}

async fn three_hosts_with_faults(sim: &Sim) -> io::Result<()> {
    sim.faults(Faults::all(100_000));
    three_hosts(sim).await
}

#[test]
fn programs_on_three_hosts_take_another_course_with_each_seed() {
    let explored = explore().seeds(1_000).run(three_hosts);
    assert!(explored.distinct() >= 990, "{explored:?}");
}

#[test]
fn programs_on_three_hosts_stand_all_faults() {
    explore().seeds(200).run(three_hosts_with_faults);
}
