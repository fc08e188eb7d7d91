//! A chat by WebSockets on one port with its page: hyper's upgrades, async-tungstenite.
//!
//! ```text
//! $ cargo run -p with-libraries --bin websocket_chat
//! the page has 40 lines or more: true
//! ann hears: ann came in
//! ann hears: bob came in
//! bob hears: bob came in
//! ann hears: ann: hello, bob
//! bob hears: ann: hello, bob
//! bob hears: ann left
//! stopped: 0 connections cut
//! ```
//!
//! This is a demonstration, in which the program is its own clients. With an address it serves until
//! Ctrl-C; open `http://127.0.0.1:8080/` in two windows of a browser:
//!
//! ```text
//! $ cargo run -p with-libraries --bin websocket_chat -- serve 127.0.0.1:8080
//! listening on 127.0.0.1:8080, until Ctrl-C
//! ```

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::Role;
use coro::compat::hyper::{Io, serve_http};
use coro::net::TcpStream;
use coro::sync::channel::{self, Sender};
use coro::{race, signal, spawn};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};

/// The page for the browser.
const PAGE: &str = include_str!("websocket_chat.html");

const GRACE: Duration = Duration::from_secs(5);

/// How many messages may wait for a member that reads slowly; further ones it misses.
const WAITING_MAX: usize = 100;

/// All who are in the chat, each with a channel to its task.
#[derive(Default)]
struct Room {
    members: RefCell<BTreeMap<u64, Sender<String>>>,
    last: Cell<u64>,
}

impl Room {
    fn tell_all(&self, text: &str) {
        for member in self.members.borrow().values() {
            let _ = member.try_send(text.to_owned()); // it misses the message, or is leaving
        }
    }
}

/// Answers a request: with the page, or with an upgrade to a WebSocket.
async fn answer(room: Rc<Room>, mut request: Request<Incoming>) -> Response<String> {
    let path = request.uri().path();
    let Some(name) = path.strip_prefix("/chat/").map(str::to_owned) else {
        let html = Response::builder().header("content-type", "text/html; charset=utf-8");
        return match path {
            "/" => html.body(PAGE.to_owned()).expect("a valid head"),
            _ => refuse(
                StatusCode::NOT_FOUND,
                "there is only a page, and /chat/NAME",
            ),
        };
    };
    let Some(key) = request.headers().get("sec-websocket-key") else {
        return refuse(StatusCode::UPGRADE_REQUIRED, "this is for WebSockets");
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgraded = hyper::upgrade::on(&mut request);
    spawn(async move {
        match upgraded.await {
            Ok(upgraded) => chat(&room, &name, upgraded).await,
            Err(error) => println!("{name} was not upgraded: {error}"),
        }
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", accept)
        .body(String::new())
        .expect("a valid head")
}

fn refuse(status: StatusCode, reason: &str) -> Response<String> {
    let mut response = Response::new(format!("{reason}\n"));
    *response.status_mut() = status;
    response
}

/// Serves a member until it leaves.
async fn chat(room: &Room, name: &str, stream: Upgraded) {
    let socket = WebSocketStream::from_raw_socket(Io::new(stream), Role::Server, None).await;
    let (mut to_member, mut from_member) = socket.split();
    let (told, mut hears) = channel::bounded(WAITING_MAX);
    let id = room.last.replace(room.last.get() + 1);
    room.members.borrow_mut().insert(id, told);
    room.tell_all(&format!("{name} came in"));
    let reads = async {
        while let Some(Ok(message)) = from_member.next().await {
            if let Message::Text(text) = message {
                room.tell_all(&format!("{name}: {text}"));
            }
        }
    };
    let writes = async {
        while let Some(text) = hears.recv().await {
            if to_member.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    };
    race((reads, writes)).await;
    room.members.borrow_mut().remove(&id);
    room.tell_all(&format!("{name} left"));
}

fn serve(address: &str) -> Result<coro::compat::hyper::HttpServer> {
    let room = Rc::<Room>::default();
    let server = serve_http(address, move |request| answer(room.clone(), request));
    server.with_context(|| format!("cannot listen on {address}"))
}

type Socket = WebSocketStream<TcpStream>;

async fn join(address: SocketAddr, name: &str) -> Result<Socket> {
    let stream = TcpStream::connect(address).await?;
    let url = format!("ws://{address}/chat/{name}");
    let (socket, _) = async_tungstenite::client_async(url, stream).await?;
    Ok(socket)
}

async fn hear(name: &str, socket: &mut Socket) -> Result<()> {
    let message = socket.next().await.context("the server left")??;
    println!("{name} hears: {}", message.into_text()?);
    Ok(())
}

async fn demonstrate() -> Result<()> {
    let server = serve("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let mut page = TcpStream::connect(address).await?;
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    page.write_all(request).await?;
    let mut text = String::new();
    page.read_to_string(&mut text).await?;
    println!(
        "the page has 40 lines or more: {}",
        text.lines().count() >= 40
    );
    let mut ann = join(address, "ann").await?;
    hear("ann", &mut ann).await?;
    let mut bob = join(address, "bob").await?;
    hear("ann", &mut ann).await?;
    hear("bob", &mut bob).await?;
    ann.send(Message::text("hello, bob")).await?;
    hear("ann", &mut ann).await?;
    hear("bob", &mut bob).await?;
    ann.close(None).await?;
    while ann.next().await.is_some() {}
    hear("bob", &mut bob).await?;
    drop(bob);
    println!("stopped: {} connections cut", server.shutdown(GRACE).await);
    Ok(())
}

#[coro::main]
async fn main() -> Result<()> {
    let Some(address) = with_libraries::serve_at() else {
        return demonstrate().await;
    };
    let stop = signal::ctrl_c();
    let server = serve(&address)?;
    println!("listening on {}, until Ctrl-C", server.local_addr()?);
    stop.await?;
    let cut = server.shutdown(GRACE).await;
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}
