//! Names of hosts, looked up by the system on threads of their own.

use std::collections::VecDeque;
use std::io;
use std::net::{self, SocketAddr};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::target::{Target, ToSocketAddrs};
use crate::wait::answer::{Asked, question};

/// More lookups than these wait for one to end.
const THREADS_MAX: usize = 8;
/// A thread that was asked nothing for so long ends.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// Gives the addresses of a host, in the system's order of preference.
///
/// The host is given as for [`TcpStream::connect`](super::TcpStream::connect), with a port, which
/// the addresses then have. The counterpart of `loop.getaddrinfo`: names are looked up by the
/// system, with whatever it is set up to ask. It can only do that by blocking, so it does on up to
/// eight threads of the process that serve nothing else, and end when they have been idle for ten
/// seconds. Addresses need no thread.
///
/// How long the system takes is its own affair: bound it with [`timeout`](crate::timeout). Dropping
/// the lookup abandons it; one that has begun goes on by itself, and its answer is thrown away. It
/// keeps neither the loop nor the process from ending.
///
/// ```
/// # use coro_core as coro;
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
    let (asked, answer) = question();
    LOOKUPS.add(Lookup { host, port, asked })?;
    let unanswered = || Err(io::Error::other("the thread that looked it up has died"));
    answer.await.unwrap_or_else(unanswered)
}

static LOOKUPS: Lookups = Lookups {
    state: Mutex::new(State {
        queue: VecDeque::new(),
        threads: 0,
        idle: 0,
    }),
    arrived: Condvar::new(),
};

struct Lookups {
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    queue: VecDeque<Lookup>,
    threads: usize,
    /// Those of the threads that wait for something to arrive.
    idle: usize,
}

struct Lookup {
    host: String,
    port: u16,
    asked: Asked<io::Result<Vec<SocketAddr>>>,
}

impl Lookups {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&'static self, lookup: Lookup) -> io::Result<()> {
        let mut state = self.lock();
        state.queue.push_back(lookup);
        if state.idle >= state.queue.len() || state.threads == THREADS_MAX {
            self.arrived.notify_one();
            return Ok(());
        }
        let thread = thread::Builder::new().name(String::from("coro-resolver"));
        match thread.spawn(move || self.serve()) {
            Ok(_) => state.threads += 1,
            Err(error) if state.threads == 0 => {
                let refused = state.queue.pop_back();
                drop(state);
                drop(refused);
                return Err(error);
            }
            Err(_) => self.arrived.notify_one(), // the others get to it
        }
        Ok(())
    }

    fn serve(&self) {
        while let Some(lookup) = self.next() {
            lookup.run();
        }
    }

    /// The next lookup; `None` once the thread that asks has to end, and is no longer counted.
    fn next(&self) -> Option<Lookup> {
        let mut state = self.lock();
        loop {
            if let Some(lookup) = state.queue.pop_front() {
                return Some(lookup);
            }
            state.idle += 1;
            let waited = self.arrived.wait_timeout(state, IDLE_MAX);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }
}

impl Lookup {
    fn run(self) {
        if !self.asked.is_wanted() {
            return; // given up while it queued
        }
        let found = net::ToSocketAddrs::to_socket_addrs(&(self.host.as_str(), self.port));
        self.asked.answer(found.map(Iterator::collect));
    }
}
