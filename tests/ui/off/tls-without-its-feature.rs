//! TLS, in a crate that has coro with the features that are on by default.

use coro::net::tls::TlsStream;

fn main() {
    let _: Option<TlsStream<coro::net::TcpStream>> = None;
}
