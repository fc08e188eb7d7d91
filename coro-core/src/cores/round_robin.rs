//! `RoundRobin`: an acceptor that hands connections to several loops in turn.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::duplicate;
use crate::event_loop::spawn;
use crate::group::race;
use crate::net::{Server, ServerBuilder, TcpListener, TcpStream};
use crate::panics::unpoisoned;
use crate::sync::TrySendError;
use crate::sync::remote::Event;
use crate::sync::remote::channel::{self, Receiver, Sender};

/// How many connections may wait for one loop. It is one, so that a loop which is busy, or serves as
/// many as it may, keeps no more from the others. If all are busy, connections wait in the system's queue.
const WAITING_MAX: usize = 1;

/// A connection on its way to another thread.
type Accepted = (std::net::TcpStream, SocketAddr);

/// The servers that share one listener.
pub(super) struct RoundRobin {
    addresses: Vec<SocketAddr>,
    state: Mutex<Round>,
}

#[derive(Default)]
struct Round {
    /// The listeners, before the first server starts.
    listeners: Option<Vec<std::net::TcpListener>>,
    /// The ways to the servers, with their numbers.
    servers: Vec<(u64, Sender<Accepted>)>,
    number: u64,
    /// The place in `servers` of the next to be served.
    next: usize,
    /// Set when the last server has closed. It is there from the time on at which a server is to begin
    /// to accept, until the listeners are closed: a server that starts before that keeps them open.
    over: Option<Arc<Event>>,
    failure: Option<Arc<io::Error>>,
}

/// The listeners to begin with, if they are made already, and the event that tells of the last server's end.
type Begun = (Option<Vec<std::net::TcpListener>>, Arc<Event>);

impl Round {
    /// Enters a server; it has to begin to accept if no other one has.
    #[inline]
    fn enter(&mut self, send: Sender<Accepted>) -> (u64, Option<Begun>) {
        let number = self.number;
        self.number += 1;
        self.servers.push((number, send));
        if self.over.is_some() {
            return (number, None);
        }
        let over = Arc::new(Event::new());
        self.over = Some(over.clone());
        self.failure = None;
        (number, Some((self.listeners.take(), over)))
    }
}

/// The place of a server among those that are served in turn. Dropping it gives it up.
pub(super) struct Turns {
    round: Arc<RoundRobin>,
    number: u64,
    accepted: Receiver<Accepted>,
}

impl RoundRobin {
    #[inline]
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        listeners: Vec<std::net::TcpListener>,
    ) -> Arc<Self> {
        let state = Round {
            listeners: Some(listeners),
            ..Round::default()
        };
        Arc::new(RoundRobin {
            addresses,
            state: Mutex::new(state),
        })
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Round> {
        unpoisoned(self.state.lock())
    }

    /// Enters a server of the present loop. The first one has this loop accept for all.
    #[track_caller]
    #[inline]
    pub(super) fn join(self: Arc<Self>, builder: &ServerBuilder) -> io::Result<Turns> {
        let (send, accepted) = channel::bounded(WAITING_MAX);
        let (number, begun) = self.lock().enter(send);
        let turns = Turns {
            round: self.clone(),
            number,
            accepted,
        };
        if let Some((listeners, over)) = begun
            && let Err(error) = self.begin(listeners, over, builder)
        {
            self.end(Vec::new(), duplicate(&error));
            return Err(error);
        }
        Ok(turns)
    }

    #[track_caller]
    #[inline]
    fn begin(
        self: &Arc<Self>,
        listeners: Option<Vec<std::net::TcpListener>>,
        over: Arc<Event>,
        builder: &ServerBuilder,
    ) -> io::Result<()> {
        let listeners = match listeners {
            Some(listeners) => listeners,
            None => listen_again(builder, &self.addresses)?,
        };
        let listeners = listeners.into_iter().map(TcpListener::from_std);
        let acceptor = Acceptor {
            listeners: listeners.collect::<io::Result<_>>()?,
            round: self.clone(),
            over,
        };
        drop(spawn(acceptor.accept()));
        Ok(())
    }

    /// The server whose turn it is; `None` if there is none left.
    #[inline]
    fn next(&self) -> Option<Sender<Accepted>> {
        let mut state = self.lock();
        let count = state.servers.len();
        let at = state.next.checked_rem(count)?;
        state.next = at + 1;
        Some(state.servers[at].1.clone())
    }

    /// Gives the connection to the next server that has room, or waits for room at the first.
    #[inline]
    async fn hand_round(&self, mut accepted: Accepted) {
        let count = self.lock().servers.len();
        for _ in 0..count {
            let Some(server) = self.next() else { return };
            match server.try_send(accepted) {
                Ok(()) => return,
                Err(TrySendError::Full(back) | TrySendError::Closed(back)) => accepted = back,
            }
        }
        while let Some(server) = self.next() {
            match server.send(accepted).await {
                Ok(()) => return,
                Err(closed) => accepted = closed.0,
            }
        }
    }

    /// Gives the connections of this listener to the servers, until it fails.
    #[inline]
    async fn accept_from(&self, listener: &TcpListener) -> io::Error {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.hand_round((stream.into_std(), peer)).await,
                Err(error) => return error,
            }
        }
    }

    /// Whether there is no server. If there is one, it keeps the acceptor.
    #[inline]
    fn is_idle(&self, over: &Event) -> bool {
        let state = self.lock();
        if !state.servers.is_empty() {
            over.clear(); // it is set after this lock is released, if the last server closes after this
        }
        state.servers.is_empty()
    }

    /// Closes the listeners, if there is no server. It is done under the lock: a server that starts
    /// before keeps them, and one that starts after this binds the addresses anew.
    #[inline]
    fn close_if_idle(&self, listeners: &mut Vec<TcpListener>) -> bool {
        let mut state = self.lock();
        if state.servers.is_empty() {
            listeners.drain(..).for_each(TcpListener::close);
            state.over = None;
        }
        state.over.is_none()
    }

    /// Closes the listeners, which ends the servers that are left with this error.
    #[inline]
    fn end(&self, listeners: Vec<TcpListener>, error: io::Error) {
        let mut state = self.lock();
        listeners.into_iter().for_each(TcpListener::close);
        state.over = None;
        state.failure = Some(Arc::new(error));
        let servers = std::mem::take(&mut state.servers);
        drop(state);
        drop(servers);
    }
}

/// The listeners were closed with the last server; another one has started since.
#[inline]
fn listen_again(
    builder: &ServerBuilder,
    addresses: &[SocketAddr],
) -> io::Result<Vec<std::net::TcpListener>> {
    let bound = Server::builder().bind(addresses)?;
    builder.listen_by(bound)
}

/// The listeners of all servers, on the loop of the first one.
struct Acceptor {
    listeners: Vec<TcpListener>,
    round: Arc<RoundRobin>,
    over: Arc<Event>,
}

impl Acceptor {
    /// Accepts until the last server has closed, or a listener fails.
    #[inline]
    async fn accept(mut self) {
        loop {
            if let Err(error) = self.accept_while_served().await {
                return self.round.end(std::mem::take(&mut self.listeners), error);
            }
            if self.round.close_if_idle(&mut self.listeners) {
                return;
            }
        }
    }

    #[inline]
    async fn accept_while_served(&self) -> io::Result<()> {
        let each = self.listeners.iter();
        let each = each.map(|listener| self.round.accept_from(listener));
        let mut failing = pin!(race(each.collect::<Vec<_>>()));
        loop {
            let failed = async { Some(failing.as_mut().await) };
            let over = async {
                self.over.wait().await;
                None
            };
            match race((failed, over)).await {
                Some(error) => return Err(error),
                None if self.round.is_idle(&self.over) => return Ok(()),
                None => {} // another server has started
            }
        }
    }
}

impl Drop for Acceptor {
    /// Its loop may close before those of the other servers.
    #[inline]
    fn drop(&mut self) {
        if !self.listeners.is_empty() {
            let error = io::Error::other("the loop that accepted for all has closed");
            self.round.end(std::mem::take(&mut self.listeners), error);
        }
    }
}

impl Turns {
    /// The next connection for this server.
    #[inline]
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        while let Some((stream, peer)) = self.accepted.recv().await {
            // Refused, the connection is gone already, or the loop has no descriptor left.
            if let Ok(stream) = TcpStream::from_std(stream) {
                return Ok((stream, peer));
            }
        }
        let failure = self.round.lock().failure.clone();
        let text = failure.map_or_else(String::new, |failure| failure.to_string());
        Err(io::Error::other(format!(
            "the listener that hands connections round has failed: {text}"
        )))
    }
}

impl Drop for Turns {
    #[inline]
    fn drop(&mut self) {
        let mut state = self.round.lock();
        let of_this = |(number, _): &(u64, _)| *number == self.number;
        let at = state.servers.iter().position(of_this);
        let server = at.map(|at| state.servers.remove(at));
        let is_last = state.servers.is_empty();
        let over = state.over.clone().filter(|_| is_last);
        drop(state);
        drop(server);
        over.iter().for_each(|over| over.set());
    }
}
