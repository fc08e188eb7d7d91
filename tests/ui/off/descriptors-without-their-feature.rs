//! Descriptors sent over a Unix socket, and its peer's process, in a crate that has coro with the
//! features that are on by default.

async fn send(stream: &coro::net::UnixStream) {
    let _ = stream.peer_cred();
    let _ = stream.send_fds(b"!", &[]).await;
}

fn main() {
    let _ = send;
}
