//! Resolves names of hosts, by the system, on threads for that purpose.

use std::io;
#[cfg(feature = "simulation")]
use std::net::Ipv4Addr;
use std::net::{self, SocketAddr};
use std::sync::LazyLock;

use super::target::{Target, ToSocketAddrs};
#[cfg(feature = "simulation")]
use crate::event_loop::LoopHandle;
#[cfg(feature = "simulation")]
use crate::machine::Kernel;
use crate::pool::ThreadPool;
use crate::task::{Step, looking};
use crate::wait::thread::ToThread;

/// The limit of simultaneous lookups; further ones wait.
const THREADS_MAX: usize = 8;

/// Threads shared by all loops, and by lookups only: they wait for the network, not for a
/// processor.
static RESOLVERS: LazyLock<ThreadPool> = LazyLock::new(|| {
    let builder = ThreadPool::builder().max_threads(THREADS_MAX);
    builder.name("coro-resolver").build()
});

/// Gives the addresses of a host, in the system's order of preference.
///
/// The host is given as for [`TcpStream::connect`](super::TcpStream::connect), with a port, which
/// the addresses then have. The counterpart of `loop.getaddrinfo`: names are resolved by the
/// system, as it is configured. The system's lookup blocks. So it runs on up to eight threads of
/// the process that do no other work, and end when they have been idle for ten seconds. Addresses
/// need no thread.
///
/// The system decides how long it takes: use [`timeout`](crate::time::timeout) to limit it.
/// Dropping the future abandons the lookup; one that has begun runs on, and its answer is thrown
/// away. It keeps neither the loop nor the process from ending.
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
/// The system's error, as when there is no such host; and if the host has no port, or no thread can
/// be started.
///
/// # Panics
///
/// If a name is looked up outside of a loop.
#[doc(alias = "getaddrinfo")]
pub async fn lookup_host(host: impl ToSocketAddrs) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let addresses = match host.into_target()? {
        Target::Addresses(addresses) => addresses,
        Target::Name(host, port) => look_up(host, port).await?,
    };
    Ok(addresses.into_iter())
}

#[inline]
pub(super) async fn look_up(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    #[cfg(feature = "simulation")]
    if let Some(simulated) = LoopHandle::simulated_host() {
        return resolve_simulated(&simulated.kernel, &host, port);
    }
    let name = host.clone();
    let step = move || Step::During {
        operation: "looking up",
        object: name.as_str().into(),
    };
    let lookup = ToThread::new(&*RESOLVERS, move |_| {
        net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port)).map(Iterator::collect)
    });
    looking::shown(step, lookup)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error.to_string())))
}

/// A simulation knows the names of its hosts, and `localhost`.
#[cfg(feature = "simulation")]
#[inline]
fn resolve_simulated(kernel: &Kernel, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let ip = match host {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        name => name.parse().ok().or_else(|| kernel.resolve(name)),
    };
    let unknown = || {
        let text = format!("no simulated host is called {host:?}: make one by `Sim::host`");
        io::Error::new(io::ErrorKind::NotFound, text)
    };
    Ok(vec![SocketAddr::new(ip.ok_or_else(unknown)?, port)])
}
