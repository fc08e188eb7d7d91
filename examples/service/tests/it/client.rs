//! A client with a connection for each request.

use std::io;
use std::net::SocketAddr;

use coro::io::{AsyncReadExt, AsyncWriteExt};
use coro::net::TcpStream;

use crate::process::until;

/// The status and the body of an answer.
pub(crate) type Answer = (u16, String);

/// Asks for a path, and reads the answer to the end of the connection.
pub(crate) async fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    request(address, &format!("GET {path} HTTP/1.1\r\n"), "").await
}

pub(crate) async fn post(address: SocketAddr, path: &str, body: &str) -> io::Result<Answer> {
    let head = format!("POST {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
    request(address, &head, body).await
}

async fn request(address: SocketAddr, head: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{head}host: localhost\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await?;
    read_answer(&mut stream).await
}

/// Reads an answer to the end of the connection.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let parsed = parse(&answer);
    match (parsed, read) {
        (Some(answer), Ok(_)) => Ok(answer),
        (_, Err(error)) => Err(error),
        (None, Ok(_)) => Err(io::Error::other(format!("no whole answer: {answer:?}"))),
    }
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut lengths = head
        .lines()
        .filter_map(|line| line.strip_prefix("content-length: "));
    let length: usize = lengths.next()?.parse().ok()?;
    (body.len() == length).then(|| (status, body.to_owned()))
}

/// Waits until the metrics have this line.
pub(crate) async fn until_metrics_say(operators: SocketAddr, line: &str) {
    until(async || {
        let (_, metrics) = get(operators, "/metrics").await.unwrap();
        metrics.lines().any(|it| it == line)
    })
    .await;
}
