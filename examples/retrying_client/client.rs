//! A client that sends each request until it is answered.

use std::net::IpAddr;
use std::time::Duration;

use coro::net::UdpSocket;
use coro::timeout;

/// The time after which a request is sent again.
const PATIENCE: Duration = Duration::from_millis(20);

/// Has the server count `requests` times.
pub(crate) async fn increment(client: u8, requests: u8, server: IpAddr) {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port");
    for number in 0..requests {
        let request = [client, number];
        loop {
            socket
                .send_to(&request, (server, 9))
                .await
                .expect("a network");
            if timeout(PATIENCE, answered(&socket, request)).await.is_ok() {
                break;
            }
        }
    }
}

/// Waits for the answer; those to earlier repeats are skipped.
async fn answered(socket: &UdpSocket, request: [u8; 2]) {
    let mut answer = [0; 2];
    while answer != request {
        socket.recv_from(&mut answer).await.expect("a network");
    }
}
