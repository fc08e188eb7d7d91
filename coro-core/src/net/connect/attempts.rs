//! The race of connection attempts that RFC 8305 calls happy eyeballs.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::wait::until::Until;

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
/// use coro::net::{TcpStream, happy_eyeballs};
/// use std::{io, net::SocketAddr, time::Duration};
///
/// async fn answer(address: SocketAddr) -> io::Result<SocketAddr> {
///     coro::sleep(Duration::from_millis(if address.is_ipv6() { 9 } else { 1 })).await;
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
    connect: F,
) -> Result<T, Vec<(SocketAddr, E)>>
where
    F: FnMut(SocketAddr) -> A,
    A: Future<Output = Result<T, E>>,
{
    let mut race = Attempts {
        connect,
        delay,
        untried: interleaved(addresses),
        begun: Vec::new(),
        next: None,
    };
    poll_fn(|cx| race.poll(cx)).await
}

struct Attempts<F, A, E> {
    connect: F,
    delay: Duration,
    untried: VecDeque<SocketAddr>,
    begun: Vec<Attempt<A, E>>,
    /// Fires when the next attempt is to begin; `None` means at once.
    next: Option<Until>,
}

struct Attempt<A, E> {
    address: SocketAddr,
    state: AttemptState<A, E>,
}

enum AttemptState<A, E> {
    Running(Pin<Box<A>>),
    Failed(E),
}

impl<F, A, T, E> Attempts<F, A, E>
where
    F: FnMut(SocketAddr) -> A,
    A: Future<Output = Result<T, E>>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Vec<(SocketAddr, E)>>> {
        loop {
            if let Some(connection) = self.poll_running(cx) {
                return Poll::Ready(Ok(connection));
            }
            match self.untried.is_empty() {
                true if self.are_over() => return Poll::Ready(Err(self.take_errors())),
                true => return Poll::Pending,
                false if self.is_time_for_next(cx) => self.begin_next(),
                false => return Poll::Pending,
            }
        }
    }

    /// Polls the running attempts, in the order in which they began, until one succeeds.
    fn poll_running(&mut self, cx: &mut Context<'_>) -> Option<T> {
        for attempt in &mut self.begun {
            let AttemptState::Running(running) = &mut attempt.state else {
                continue;
            };
            match running.as_mut().poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(connection)) => return Some(connection),
                Poll::Ready(Err(error)) => {
                    attempt.state = AttemptState::Failed(error);
                    self.next = None;
                }
            }
        }
        None
    }

    fn is_time_for_next(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.next {
            None => true,
            Some(until) => until.poll(cx).is_ready(),
        }
    }

    fn begin_next(&mut self) {
        if let Some(address) = self.untried.pop_front() {
            let state = AttemptState::Running(Box::pin((self.connect)(address)));
            self.begun.push(Attempt { address, state });
            self.next = Some(Until::After(self.delay));
        }
    }

    fn are_over(&self) -> bool {
        let mut begun = self.begun.iter();
        begun.all(|attempt| matches!(attempt.state, AttemptState::Failed(_)))
    }

    fn take_errors(&mut self) -> Vec<(SocketAddr, E)> {
        let begun = std::mem::take(&mut self.begun).into_iter();
        begun
            .filter_map(|attempt| match attempt.state {
                AttemptState::Failed(error) => Some((attempt.address, error)),
                AttemptState::Running(_) => None,
            })
            .collect()
    }
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
