//! HTTP by hyper on coro: a server with its own client.
//!
//! ```text
//! $ cargo run -p with-libraries --bin http_hello
//! GET /: 200 OK, "hello, world\n"
//! GET /hello/ann: 200 OK, "hello, ann\n"
//! POST /echo: 200 OK, "what I say"
//! GET /nothing: 404 Not Found, "there is no /nothing here\n"
//! that took 1 connection
//! 20 clients at once: 20 answers
//! stopped: 0 connections cut
//! ```
//!
//! This is a demonstration, in which the program is its own client. With an address it serves until
//! Ctrl-C. It then finishes the requests that have begun:
//!
//! ```text
//! $ cargo run -p with-libraries --bin http_hello -- serve 127.0.0.1:8080
//! listening on 127.0.0.1:8080, until Ctrl-C
//! $ curl http://127.0.0.1:8080/hello/ann
//! hello, ann
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use coro::compat::hyper::{Io, serve_http};
use coro::net::TcpStream;
use coro::{gather, signal, spawn, yield_from};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Response, StatusCode};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Body = Either<Full<Bytes>, Incoming>;
type Client = SendRequest<Full<Bytes>>;

const GRACE: Duration = Duration::from_secs(5);

async fn answer(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    match (request.method(), path.strip_prefix("/hello/")) {
        (&Method::GET, Some(name)) => text(StatusCode::OK, format!("hello, {name}\n")),
        (&Method::GET, None) if path == "/" => text(StatusCode::OK, "hello, world\n".into()),
        (&Method::POST, None) if path == "/echo" => {
            Response::new(Either::Right(request.into_body())) // streamed: sent back as it arrives
        }
        _ => text(StatusCode::NOT_FOUND, format!("there is no {path} here\n")),
    }
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    response
}

/// Connects a client. A task of its own drives the connection.
#[coro::coroutine]
fn connect(address: SocketAddr) -> Result<Client> {
    let stream = yield_from!(TcpStream::connect(address))?;
    let (client, connection) = yield_from!(http1::handshake(Io::new(stream)))?;
    spawn(async move {
        if let Err(error) = connection.await {
            println!("the connection failed: {error}");
        }
    });
    Ok(client)
}

#[coro::coroutine]
fn ask(client: &mut Client, method: Method, path: &str, body: &'static str) -> Result<String> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .body(Full::new(Bytes::from(body)))?;
    yield_from!(client.ready())?;
    let response = yield_from!(client.send_request(request))?;
    let status = response.status();
    let body = yield_from!(response.into_body().collect())?.to_bytes();
    Ok(format!("{status}, {:?}", String::from_utf8_lossy(&body)))
}

#[coro::coroutine]
fn ask_once(address: SocketAddr) -> Result<String> {
    let mut client = yield_from!(connect(address))?;
    yield_from!(ask(&mut client, Method::GET, "/", ""))
}

#[coro::coroutine]
fn demonstrate() -> Result<()> {
    let server = serve_http("127.0.0.1:0", answer)?;
    let address = server.local_addr()?;
    let mut client = yield_from!(connect(address))?;
    for (method, path, body) in [
        (Method::GET, "/", ""),
        (Method::GET, "/hello/ann", ""),
        (Method::POST, "/echo", "what I say"),
        (Method::GET, "/nothing", ""),
    ] {
        let answer = yield_from!(ask(&mut client, method.clone(), path, body))?;
        println!("{method} {path}: {answer}");
    }
    println!("that took {} connection", server.connections());

    let answers = yield_from!(gather([address; 20].map(ask_once)));
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    println!("20 clients at once: {answered} answers");

    let cut = yield_from!(server.shutdown(GRACE)); // the client's connection is still open
    println!("stopped: {cut} connections cut");
    Ok(())
}

#[coro::coroutine]
fn serve_until_ctrl_c(address: &str) -> Result<()> {
    let stop = signal::ctrl_c();
    let server = serve_http(address, answer)?;
    println!("listening on {}, until Ctrl-C", server.local_addr()?);
    yield_from!(stop)?;
    let cut = yield_from!(server.shutdown(GRACE));
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}

#[coro::main]
fn main() -> Result<()> {
    match with_libraries::serve_at() {
        Some(address) => yield_from!(serve_until_ctrl_c(&address)),
        None => yield_from!(demonstrate()),
    }
}
