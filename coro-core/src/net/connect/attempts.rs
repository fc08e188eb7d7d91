//! The race of connection attempts that RFC 8305 calls happy eyeballs.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::wait::staggered::staggered;

/// Tries addresses one after another, each a little later than the last, until one succeeds.
///
/// This is the race of [RFC 8305], which [`open_connection`](super::open_connection) runs for TCP;
/// call it with a `connect` of your own for other connections, such as TLS or a proxy. The
/// addresses alternate between IPv4 and IPv6, beginning with the family of the first; otherwise
/// their order is kept. The next attempt begins when `delay` has passed since the last began, or at
/// once when an attempt fails. The first success wins, and the other attempts are dropped. Of
/// several attempts that succeed at the same time, the one that began first wins. Dropping the
/// future drops all attempts.
///
/// ```
/// use coro::net::happy_eyeballs;
/// use std::{io, net::SocketAddr, time::Duration};
///
/// async fn answer(address: SocketAddr) -> io::Result<SocketAddr> {
///     coro::sleep(Duration::from_secs(if address.is_ipv6() { 60 } else { 0 })).await;
///     Ok(address)
/// }
///
/// coro::run(async {
///     let addresses = ["[::1]:80".parse().unwrap(), "127.0.0.1:80".parse().unwrap()];
///     let first = happy_eyeballs(addresses, Duration::from_millis(2), answer).await;
///     assert_eq!(first.unwrap(), addresses[1]);
/// });
/// ```
///
/// # Errors
///
/// If no attempt succeeds, the error of each, in the order in which they began; an empty list if
/// there are no addresses.
///
/// # Panics
///
/// If it waits outside of a loop.
///
/// [RFC 8305]: https://www.rfc-editor.org/rfc/rfc8305#section-5
pub async fn happy_eyeballs<F, A, T, E>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    delay: Duration,
    mut connect: F,
) -> Result<T, Vec<(SocketAddr, E)>>
where
    F: FnMut(SocketAddr) -> A,
    A: Future<Output = Result<T, E>>,
{
    let addresses = interleaved(addresses).into_iter();
    staggered(delay, addresses.map(|address| (address, connect(address)))).await
}

/// Alternates between the families, beginning with the first address's, and keeps the order within
/// each.
fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut rest: VecDeque<SocketAddr> = addresses.into_iter().collect();
    let mut order = VecDeque::with_capacity(rest.len());
    while let Some(address) = rest.pop_front() {
        order.push_back(address);
        let other = rest.iter().position(|it| it.is_ipv6() != address.is_ipv6());
        if let Some(other) = other.and_then(|at| rest.remove(at)) {
            rest.push_front(other);
        }
    }
    order
}
