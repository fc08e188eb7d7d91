//! An echo server that speaks TLS, with clients of it.
//!
//! ```text
//! $ cargo run -p coro-examples --example tls_echo
//! client 1 asks for "localhost": TLSv1_3, full handshake
//! client 1 sent "hello", got back "hello"
//! client 1 sent "world", got back "world"
//! client 1 closed, and so did the server
//! client 2 asks for "localhost": TLSv1_3, resumed session
//! client 2 sent "hello again", got back "hello again"
//! client 2 closed, and so did the server
//! client 3 asks for "example.org": refused
//!   tls: certificate not valid for name "example.org"; certificate is only valid for DnsName("localhost")
//! the server saw 2 clients to a good end, and 1 give up
//! ```
//!
//! The certificate is made at the start. With certificates in PEM files:
//!
//! ```text
//! $ cargo run -p coro-examples --example tls_echo -- serve 127.0.0.1:4433 chain.pem key.pem
//! $ echo hello | cargo run -p coro-examples --example tls_echo -- connect localhost:4433 roots.pem
//! ```
//!
//! `serve` runs until Ctrl-C. `connect` sends its standard input, and prints the answer. Without a
//! file of roots it trusts the machine's roots.

#[path = "../support/mod.rs"]
mod support;

use std::cell::Cell;
use std::env;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use coro::net::tls::rustls::HandshakeKind;
use coro::net::tls::{TlsAcceptor, TlsConnector, TlsStream, certificates_from_file};
use coro::net::{StreamReader, TcpListener, TcpStream};
use coro::{race, signal, sleep, spawn, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use support::seconds;

#[derive(Default)]
struct Served {
    well: Cell<u32>,
    badly: Cell<u32>,
}

/// Accepts clients for ever, each into a task of its own. The handshake runs in that task, so that
/// a slow client holds up no other.
#[coro::coroutine]
fn serve(listener: &TcpListener, acceptor: &TlsAcceptor, served: &Rc<Served>) -> io::Result<()> {
    loop {
        let (stream, _) = yield_from!(listener.accept())?;
        let (acceptor, served) = (acceptor.clone(), served.clone());
        spawn(async move {
            let count = match echo(&acceptor, stream).await {
                Ok(()) => &served.well,
                Err(_) => &served.badly,
            };
            count.set(count.get() + 1);
        });
    }
}

#[coro::coroutine]
fn echo(acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut tls = yield_from!(acceptor.accept(stream))?;
    let mut buffer = [0; 4096];
    loop {
        let received = yield_from!(tls.read(&mut buffer))?;
        if received == 0 {
            return yield_from!(tls.close());
        }
        yield_from!(tls.write_all(&buffer[..received]))?;
        yield_from!(tls.flush())?;
    }
}

#[coro::coroutine]
fn connect(
    address: SocketAddr,
    connector: &TlsConnector,
    name: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = yield_from!(TcpStream::connect(address))?;
    yield_from!(connector.connect(name, stream))
}

/// A client that sends some words, one after another, and reads each echo before the next word.
#[coro::coroutine]
fn chat(mut tls: TlsStream<TcpStream>, who: &str, words: &[&str]) -> io::Result<()> {
    for word in words {
        yield_from!(sleep(seconds(0.5)));
        yield_from!(tls.write_all(word.as_bytes()))?;
        yield_from!(tls.flush())?;
        let mut answer = vec![0; word.len()];
        yield_from!(tls.read_exact(&mut answer))?;
        let answer = String::from_utf8_lossy(&answer);
        println!("{who} sent {word:?}, got back {answer:?}");
    }
    yield_from!(tls.close())?;
    if yield_from!(tls.read(&mut [0]))? == 0 {
        println!("{who} closed, and so did the server");
    }
    Ok(())
}

fn describe(tls: &TlsStream<TcpStream>) -> String {
    let version = tls.protocol_version().map(|version| format!("{version:?}"));
    let handshake = match tls.connection().handshake_kind() {
        Some(HandshakeKind::Resumed) => "resumed session",
        _ => "full handshake",
    };
    format!("{}, {handshake}", version.unwrap_or_default())
}

/// Runs clients with their server in one program.
#[coro::coroutine]
fn demonstrate() -> io::Result<()> {
    let made =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
    let certificate = made.cert.der().clone();
    let connector = TlsConnector::builder()
        .root_certificates([certificate.clone()])
        .build()?;
    let acceptor = TlsAcceptor::new(vec![certificate], made.signing_key.into())?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let served = Rc::new(Served::default());
    let counts = served.clone();
    let server = spawn(async move { serve(&listener, &acceptor, &served).await });

    let clients: [(&str, &[&str]); 3] = [
        ("localhost", &["hello", "world"]),
        ("localhost", &["hello again"]),
        ("example.org", &["never said"]),
    ];
    for (number, (name, words)) in (1..).zip(clients) {
        let who = format!("client {number}");
        match yield_from!(connect(address, &connector, name)) {
            Ok(tls) => {
                println!("{who} asks for {name:?}: {}", describe(&tls));
                yield_from!(chat(tls, &who, words))?;
            }
            Err(error) => println!("{who} asks for {name:?}: refused\n  {error}"),
        }
    }
    while counts.badly.get() == 0 {
        yield_from!(sleep(seconds(0.01)));
    }
    server.cancel();
    let (well, badly) = (counts.well.get(), counts.badly.get());
    println!("the server saw {well} clients to a good end, and {badly} give up");
    Ok(())
}

#[coro::coroutine]
fn serve_until_interrupted(address: &str, chain: &str, key: &str) -> io::Result<()> {
    let acceptor = TlsAcceptor::from_pem_files(chain, key)?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {} until Ctrl-C", listener.local_addr()?);
    let served = Rc::new(Served::default());
    yield_from!(race((
        signal::ctrl_c(),
        serve(&listener, &acceptor, &served)
    )))
}

/// The longest answer that is kept, in bytes.
const ANSWER_MAX: usize = 1 << 30;

/// Sends the whole message. Returns the whole answer.
#[coro::coroutine]
fn converse(target: &str, roots: Option<&str>, message: &[u8]) -> io::Result<Vec<u8>> {
    let connector = match roots {
        Some(file) => TlsConnector::builder()
            .root_certificates(certificates_from_file(file)?)
            .build()?,
        None => TlsConnector::new()?,
    };
    let (host, port) = target
        .rsplit_once(':')
        .ok_or_else(|| io::Error::other("where to connect to is host:port"))?;
    let port = port.parse().map_err(io::Error::other)?;
    let tls = yield_from!(connector.open_connection(host, port))?;
    let (reader, mut writer) = tls.split();
    let sending = async {
        writer.write_all(message).await?;
        writer.close().await
    };
    let mut reader = StreamReader::new(reader);
    let receiving = reader.read_to_end(ANSWER_MAX);
    let (sent, answer) = yield_from!(coro::gather((sending, receiving)));
    sent?;
    Ok(answer?)
}

#[coro::main]
fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["serve", address, chain, key] => {
            yield_from!(serve_until_interrupted(address, chain, key))
        }
        ["connect", target, ref roots @ ..] if roots.len() <= 1 => {
            let mut message = Vec::new();
            io::stdin().read_to_end(&mut message)?;
            let answer = yield_from!(converse(target, roots.first().copied(), &message))?;
            io::stdout().write_all(&answer)
        }
        _ => {
            support::check_arguments();
            yield_from!(demonstrate())
        }
    }
}
