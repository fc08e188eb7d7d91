//! hyper's upgrades, and WebSockets over them: async-tungstenite, tokio-tungstenite.

use std::convert::Infallible;
use std::net::SocketAddr;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::{Message, Role};
use coro::compat::hyper::{HttpServer, Io, serve_http};
use coro::net::{TcpListener, TcpStream};
use coro::spawn;
use futures::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::{Request, Response};

use crate::http::PATIENCE;

/// Upgrades a request to a WebSocket, which sends back what it receives.
async fn upgrade(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let key = request.headers()["sec-websocket-key"].clone();
    let upgraded = hyper::upgrade::on(&mut request);
    spawn(async move {
        let stream = Io::new(upgraded.await.unwrap()); // glue
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() || message.is_binary() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let response = Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", derive_accept_key(key.as_bytes()));
    Ok(response.body(String::new()).unwrap())
}

pub(crate) fn start() -> (HttpServer, SocketAddr) {
    let server = serve_http("127.0.0.1:0", upgrade).unwrap();
    let address = server.local_addr().unwrap();
    (server, address)
}

#[coro::test(real)]
async fn a_websocket_behind_hyper_echoes_to_async_tungstenite() {
    let (server, address) = start();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/");
    let (mut socket, _) = async_tungstenite::client_async(url, stream).await.unwrap();
    for message in [Message::text("hello"), Message::binary(vec![7; 1 << 20])] {
        socket.send(message.clone()).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap() == message);
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

/// tokio's traits are implemented for our streams.
#[coro::test(real)]
async fn a_websocket_behind_hyper_echoes_to_tokio_tungstenite() {
    let (server, address) = start();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let message = Message::text("hello");
    socket.send(message.clone()).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap() == message);
    drop(socket);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn async_tungstenite_takes_our_streams_on_both_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = async_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/");
    let (mut socket, _) = async_tungstenite::client_async(url, stream).await.unwrap();
    for n in 0..500 {
        socket.send(Message::text(n.to_string())).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap().as_str(), n.to_string());
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    serving.await.unwrap();
}
