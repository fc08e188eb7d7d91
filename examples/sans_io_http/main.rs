//! An HTTP/1.1 parser without I/O, which a blocking server, the loop or a fuzzer can drive.
//!
//! ```text
//! $ cargo run --example sans_io_http
//! a plain request          200
//! a body by its length     200
//! a body in chunks         200
//! three in a row           200 200 200
//! an empty line first      200
//! nothing at all           no answer
//! a good one, then a bad   200 400 the request line is not `METHOD target HTTP/1.1`
//! an older version         400 the version is not HTTP/1.1
//! a header without colon   400 a header is not `name: value`
//! two different lengths    400 the content-length is not one number
//! length beside chunks     400 the content-length is not one number
//! a chunk of size -1       400 a chunk is malformed
//! a line without end       400 a line is too long
//! the same from a blocking server: true
//! the same from the loop: true
//! the same byte by byte, and in 3000 other splits of damaged requests: true
//! ```
//!
//! `parser.rs` is a two-way coroutine. It yields requests for bytes, then the parts that it has
//! parsed. It does not know where the bytes come from, so it is tested without a socket. A request
//! that an attacker splits at the worst places is no harder to parse than any other. It shows
//! coroutines, and is tested against `httparse`; programs take that, or hyper as in `http_hello`.

mod connection;
mod parser;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::thread;

use coro::yield_from;
use futures::{AsyncReadExt, AsyncWriteExt};

use connection::Connection;

fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let endless = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(10_000));
    let plain = [
        (
            "a plain request",
            "GET /a?b=c HTTP/1.1\r\nhost: example.org\r\naccept: */*\r\n\r\n",
        ),
        (
            "a body by its length",
            "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            "a body in chunks",
            "PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
             5;name=value\r\nhello\r\n6\r\n world\r\n0\r\ntrailer: 1\r\n\r\n",
        ),
        (
            "three in a row",
            "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\ncontent-length: 2\r\n\r\n\r\n\
             GET /3 HTTP/1.1\r\n\r\n",
        ),
        ("an empty line first", "\r\nGET / HTTP/1.1\r\n\r\n"),
        ("nothing at all", ""),
        (
            "a good one, then a bad",
            "GET / HTTP/1.1\r\n\r\nGET  / HTTP/1.1\r\n\r\n",
        ),
        ("an older version", "GET / HTTP/1.0\r\n\r\n"),
        ("a header without colon", "GET / HTTP/1.1\r\nhost\r\n\r\n"),
        (
            "two different lengths",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        ),
        (
            "length beside chunks",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a chunk of size -1",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
        ),
        ("a line without end", &endless),
    ];
    plain
        .map(|(name, text)| (name, text.as_bytes().to_vec()))
        .to_vec()
}

/// The server's answers to bytes that come in these pieces.
fn answers<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut connection = Connection::new();
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        connection.receive(piece);
    }
    connection.receive(&[]);
    connection.take_answers()
}

/// The statuses of the answers, with the texts of the bad ones.
fn summary(answers: &[u8]) -> String {
    let text = String::from_utf8_lossy(answers);
    let mut words = Vec::new();
    for answer in text.split("HTTP/1.1 ").skip(1) {
        words.push(&answer[..3]);
        if answer.starts_with("400") {
            words.extend(answer.lines().last());
        }
    }
    match words[..] {
        [] => "no answer".to_owned(),
        _ => words.join(" "),
    }
}

/// Serves connections one after another, with the blocking sockets of std.
fn blocking_server() -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            stream
                .and_then(serve_blocking)
                .expect("clients behave in this example");
        }
    });
    Ok(address)
}

fn serve_blocking(mut stream: std::net::TcpStream) -> io::Result<()> {
    let mut connection = Connection::new();
    let mut buffer = [0; 100];
    while connection.result().is_none() {
        let len = stream.read(&mut buffer)?;
        connection.receive(&buffer[..len]);
        stream.write_all(&connection.take_answers())?;
    }
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink())?; // lets the client read the whole answer
    Ok(())
}

/// The same with the loop's sockets.
#[coro::coroutine]
fn serve(mut stream: coro::net::TcpStream) -> io::Result<()> {
    let mut connection = Connection::new();
    let mut buffer = [0; 100];
    while connection.result().is_none() {
        let len = yield_from!(stream.read(&mut buffer))?;
        connection.receive(&buffer[..len]);
        yield_from!(stream.write_all(&connection.take_answers()))?;
    }
    yield_from!(stream.close())?;
    while yield_from!(stream.read(&mut buffer))? > 0 {}
    Ok(())
}

#[coro::coroutine]
fn serve_all(listener: coro::net::TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = yield_from!(listener.accept())?;
        coro::spawn(serve(stream));
    }
}

/// The answers of the server at that address.
fn ask(address: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(request)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers)?;
    Ok(answers)
}

/// Whether all splits of all requests, including damaged ones, get the same answers.
fn fuzz(requests: &[Vec<u8>], rounds: usize) -> bool {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let in_bytes = requests
        .iter()
        .all(|bytes| answers(bytes.chunks(1)) == answers([&bytes[..]]));
    let in_splits = (0..rounds).all(|round| {
        let mut bytes = requests[round % requests.len()].clone();
        for _ in 0..random(4).min(bytes.len()) {
            let at = random(bytes.len());
            bytes[at] = b"\r\n :;0aA/\xFF"[random(10)];
        }
        let (a, b) = (random(bytes.len()), random(bytes.len()));
        let (a, b) = (a.min(b), a.max(b));
        let split = answers([&bytes[..a], &bytes[a..b], &bytes[b..]]);
        split == answers([&bytes[..]]) && split == answers(bytes.chunks(1 + random(9)))
    });
    in_bytes && in_splits
}

fn main() -> io::Result<()> {
    let cases = cases();
    for (name, bytes) in &cases {
        println!("{name:<24} {}", summary(&answers([&bytes[..]])));
    }

    let requests: Vec<Vec<u8>> = cases.into_iter().map(|(_, bytes)| bytes).collect();
    let expected: Vec<Vec<u8>> = requests.iter().map(|bytes| answers([&bytes[..]])).collect();
    let asked = |address| {
        let answers = requests.iter().map(|bytes| ask(address, bytes));
        answers.collect::<io::Result<Vec<_>>>()
    };

    let same = asked(blocking_server()?)? == expected;
    println!("the same from a blocking server: {same}");

    let (sender, address) = std::sync::mpsc::channel();
    thread::spawn(move || {
        coro::run(async {
            let listener = coro::net::TcpListener::bind("127.0.0.1:0")?;
            sender
                .send(listener.local_addr()?)
                .expect("the main thread waits for it");
            serve_all(listener).await
        })
    });
    let same = asked(address.recv().expect("the loop's thread sends it"))? == expected;
    println!("the same from the loop: {same}");

    let same = fuzz(&requests, 3000);
    println!("the same byte by byte, and in 3000 other splits of damaged requests: {same}");
    Ok(())
}
