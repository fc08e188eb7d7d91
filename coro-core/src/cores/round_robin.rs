//! `RoundRobin`: an acceptor that hands connections to several loops in turn.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::duplicate;
use crate::event_loop::spawn;
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
    /// Set when the last server has closed; it ends the acceptors.
    over: Option<Arc<Event>>,
    failure: Option<Arc<io::Error>>,
}

/// The listeners to begin with, if they are made already, and the event that ends their acceptors.
type Begun = (Option<Vec<std::net::TcpListener>>, Arc<Event>);

impl Round {
    /// Enters a server; it has to begin to accept if no other one has.
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

    fn lock(&self) -> MutexGuard<'_, Round> {
        unpoisoned(self.state.lock())
    }

    /// Enters a server of the present loop. The first one has this loop accept for all.
    #[track_caller]
    pub(super) fn join(self: Arc<Self>, builder: &ServerBuilder) -> io::Result<Turns> {
        let (send, accepted) = channel::bounded(WAITING_MAX);
        let (number, begun) = self.lock().enter(send);
        let turns = Turns {
            round: self.clone(),
            number,
            accepted,
        };
        if let Some((listeners, over)) = begun
            && let Err(error) = self.begin(listeners, &over, builder)
        {
            self.fail(duplicate(&error));
            return Err(error);
        }
        Ok(turns)
    }

    #[track_caller]
    fn begin(
        self: &Arc<Self>,
        listeners: Option<Vec<std::net::TcpListener>>,
        over: &Arc<Event>,
        builder: &ServerBuilder,
    ) -> io::Result<()> {
        let listeners = match listeners {
            Some(listeners) => listeners,
            None => listen_again(builder, &self.addresses)?,
        };
        let listeners = listeners.into_iter().map(TcpListener::from_std);
        for listener in listeners.collect::<io::Result<Vec<_>>>()? {
            drop(spawn(accept_all(listener, self.clone(), over.clone())));
        }
        Ok(())
    }

    /// The server whose turn it is; `None` if there is none left.
    fn next(&self) -> Option<Sender<Accepted>> {
        let mut state = self.lock();
        let count = state.servers.len();
        let at = state.next.checked_rem(count)?;
        state.next = at + 1;
        Some(state.servers[at].1.clone())
    }

    /// Gives the connection to the next server that has room, or waits for room at the first.
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

    fn fail(&self, error: io::Error) {
        let mut state = self.lock();
        state.failure = Some(Arc::new(error));
        let servers = std::mem::take(&mut state.servers);
        let over = state.over.take();
        drop(state);
        drop(servers);
        over.iter().for_each(|over| over.set());
    }
}

/// The listeners were closed with the last server; another one has started since.
fn listen_again(
    builder: &ServerBuilder,
    addresses: &[SocketAddr],
) -> io::Result<Vec<std::net::TcpListener>> {
    let bound = Server::builder().bind(addresses)?;
    builder.listen_by(bound)
}

async fn accept_all(listener: TcpListener, round: Arc<RoundRobin>, over: Arc<Event>) {
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => round.hand_round((stream.into_std(), peer)).await,
                Err(error) => return round.fail(error),
            }
        }
    };
    crate::group::race((accepting, over.wait())).await;
}

impl Turns {
    /// The next connection for this server.
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
    fn drop(&mut self) {
        let mut state = self.round.lock();
        let of_this = |(number, _): &(u64, _)| *number == self.number;
        let at = state.servers.iter().position(of_this);
        let server = at.map(|at| state.servers.remove(at));
        let is_last = state.servers.is_empty();
        let over = state.over.take_if(|_| is_last);
        drop(state);
        drop(server);
        over.iter().for_each(|over| over.set());
    }
}
