//! Names of hosts, looked up by the system on threads of their own.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::LazyLock;

use super::target::{Target, ToSocketAddrs};
use crate::pool::ThreadPool;
use crate::wait::thread::ToThread;

/// More lookups than these wait for one to end.
const THREADS_MAX: usize = 8;

/// The threads of all loops: what blocks them is the network, not the processor.
static RESOLVERS: LazyLock<ThreadPool> = LazyLock::new(|| {
    let builder = ThreadPool::builder().max_threads(THREADS_MAX);
    builder.name("coro-resolver").build()
});

/// Gives the addresses of a host, in the system's order of preference.
///
/// The host is given as for [`TcpStream::connect`](super::TcpStream::connect), with a port, which
/// the addresses then have. The counterpart of `loop.getaddrinfo`: names are looked up by the
/// system, with whatever it is set up to ask. It can only do that by blocking, so it does on up to
/// eight threads of the process that serve nothing else, and end when they have been idle for ten
/// seconds. Addresses need no thread.
///
/// How long the system takes is its own affair: bound it with [`timeout`](crate::time::timeout). Dropping
/// the lookup abandons it; one that has begun goes on by itself, and its answer is thrown away. It
/// keeps neither the loop nor the process from ending.
///
/// ```
/// coro::run(async {
///     let mut addresses = coro::net::lookup_host("localhost:80").await?;
///     assert!(addresses.all(|address| address.ip().is_loopback() && address.port() == 80));
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// Whatever the system says, as when there is no such host; and if there is no port to be found, or
/// no thread can be made.
///
/// # Panics
///
/// When a name is looked up outside of a loop.
pub async fn lookup_host(host: impl ToSocketAddrs) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let addresses = match host.into_target()? {
        Target::Addresses(addresses) => addresses,
        Target::Name(host, port) => look_up(host, port).await?,
    };
    Ok(addresses.into_iter())
}

pub(super) async fn look_up(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let lookup = ToThread::new(&*RESOLVERS, move |_| {
        net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port)).map(Iterator::collect)
    });
    lookup
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error.to_string())))
}
