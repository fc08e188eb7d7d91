//! A replica: a follower, a candidate when its leader's lease has run out, or the leader.
//!
//! The protocol is a small part of Raft. A leader acknowledges a write when a majority has it in its
//! log. A replica that has heard nothing of a leader for the time of a lease asks for votes, in a
//! new term; a majority makes it the leader. Each replica votes once in a term.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::net::UdpSocket;
use coro::time::now;
use coro::{gather, sleep};

use super::message::{Entry, Message, PORT, Progress, call};

/// A leader is heard of more often than this.
const LEASE: Duration = Duration::from_millis(100);

/// The time between two messages of a leader.
const HEARTBEAT: Duration = Duration::from_millis(25);

/// A follower gets at most this number of entries at once.
const ENTRIES_MAX: usize = 16;

/// The file of a replica, which outlives its crashes.
#[derive(Default)]
pub(crate) struct Disk {
    term: Cell<u64>,
    /// The last term in which this replica has voted.
    voted: Cell<u64>,
    log: RefCell<Vec<Entry>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failover {
    /// Votes for the first candidate that asks: the new leader may lack acknowledged writes.
    Careless,
    /// Votes only for a candidate whose log is at least as far.
    Sound,
}

pub(crate) struct Replica {
    failover: Failover,
    disk: Rc<Disk>,
    others: Vec<IpAddr>,
    /// How much longer than the lease this one waits, so that not all become candidates at once.
    patience: Duration,
    heard: Cell<Instant>,
    is_leader: Cell<bool>,
    /// How many entries each of the others has, as far as the leader knows.
    lens: RefCell<Vec<usize>>,
}

impl Replica {
    pub(crate) fn new(
        failover: Failover,
        disk: Rc<Disk>,
        others: Vec<IpAddr>,
        patience: Duration,
    ) -> Rc<Self> {
        Rc::new(Replica {
            failover,
            disk,
            lens: RefCell::new(vec![0; others.len()]),
            others,
            patience,
            heard: Cell::new(now()),
            is_leader: Cell::new(false),
        })
    }

    pub(crate) async fn run(self: Rc<Self>) -> io::Result<()> {
        drop(coro::spawn(self.clone().lead_or_follow()));
        let socket = Rc::new(UdpSocket::bind(("0.0.0.0", PORT))?);
        loop {
            let mut request = [0; 1500];
            let (len, from) = socket.recv_from(&mut request).await?;
            if let Some(message) = Message::decode(&request[..len]) {
                drop(coro::spawn(self.clone().answer(
                    socket.clone(),
                    from,
                    message,
                )));
            }
        }
    }

    async fn answer(self: Rc<Self>, socket: Rc<UdpSocket>, from: SocketAddr, message: Message) {
        let answer = match message {
            Message::Append {
                term,
                from,
                before,
                entries,
            } => self.append(term, from, before, entries),
            Message::Elect { term, progress } => self.vote(term, progress),
            Message::Put { key, value } => self.put(key, value).await,
            Message::Get { key } => self.get(&key).await,
            _ => return,
        };
        let _ = socket.send_to(answer.encode().as_bytes(), from).await; // a lost one is asked for again
    }

    async fn lead_or_follow(self: Rc<Self>) {
        loop {
            sleep(HEARTBEAT).await;
            if self.is_leader.get() {
                self.replicate().await;
            } else if now() > self.heard.get() + LEASE + self.patience {
                self.campaign().await;
            }
        }
    }

    /// Takes note of a term; a leader of an earlier one leads no more.
    fn enter(&self, term: u64) {
        if term > self.disk.term.get() {
            self.disk.term.set(term);
            self.is_leader.set(false);
        }
    }

    fn progress(&self) -> Progress {
        let log = self.disk.log.borrow();
        (log.last().map_or(0, |entry| entry.term), log.len())
    }

    fn vote(&self, term: u64, progress: Progress) -> Message {
        self.enter(term);
        let is_far_enough = match self.failover {
            Failover::Careless => true,
            Failover::Sound => progress >= self.progress(),
        };
        let granted = term == self.disk.term.get() && self.disk.voted.get() < term && is_far_enough;
        if granted {
            self.disk.voted.set(term);
            self.heard.set(now());
        }
        Message::Vote {
            term: self.disk.term.get(),
            granted,
        }
    }

    async fn campaign(&self) {
        let term = self.disk.term.get() + 1;
        self.enter(term);
        self.disk.voted.set(term);
        self.heard.set(now());
        let ask = Message::Elect {
            term,
            progress: self.progress(),
        };
        let answers = gather(
            self.others
                .iter()
                .map(|other| call(*other, &ask))
                .collect::<Vec<_>>(),
        );
        let mut votes = 1;
        for answer in answers.await.into_iter().flatten() {
            if let Message::Vote { term, granted } = answer {
                self.enter(term);
                votes += usize::from(granted);
            }
        }
        if self.disk.term.get() == term && self.is_majority(votes) {
            self.is_leader.set(true);
            self.lens.borrow_mut().fill(self.disk.log.borrow().len());
            self.replicate().await;
        }
    }

    fn is_majority(&self, count: usize) -> bool {
        2 * count > self.others.len() + 1
    }

    fn append(&self, term: u64, from: usize, before: u64, entries: Vec<Entry>) -> Message {
        self.enter(term);
        let mut log = self.disk.log.borrow_mut();
        let is_leaders = term == self.disk.term.get();
        let fits = from == 0 || log.get(from - 1).is_some_and(|entry| entry.term == before);
        if is_leaders {
            self.is_leader.set(false);
            self.heard.set(now());
        }
        if is_leaders && fits {
            for (at, entry) in (from..).zip(entries) {
                if log.get(at).is_some_and(|own| *own != entry) {
                    log.truncate(at); // of a leader whose writes were never acknowledged
                }
                if at == log.len() {
                    log.push(entry);
                }
            }
        }
        Message::Appended {
            term: self.disk.term.get(),
            len: log.len(),
            fits: is_leaders && fits,
        }
    }

    /// Sends each follower the entries that it lacks; whether a majority now has the whole log.
    async fn replicate(&self) -> bool {
        let (term, len) = (self.disk.term.get(), self.disk.log.borrow().len());
        let sends = (0..self.others.len()).map(|at| self.send_entries(at, term));
        let lens = gather(sends.collect::<Vec<_>>()).await;
        let whole = lens.iter().filter(|has| **has >= len).count();
        self.is_leader.get() && self.disk.term.get() == term && self.is_majority(1 + whole)
    }

    /// Gives the number of entries that the follower has in common with this log.
    async fn send_entries(&self, at: usize, term: u64) -> usize {
        let from = self.lens.borrow()[at];
        let message = {
            let log = self.disk.log.borrow();
            let from = from.min(log.len());
            let until = log.len().min(from + ENTRIES_MAX);
            Message::Append {
                term,
                from,
                before: if from == 0 { 0 } else { log[from - 1].term },
                entries: log[from..until].to_vec(),
            }
        };
        let sent = match &message {
            Message::Append { from, entries, .. } => from + entries.len(),
            _ => 0,
        };
        let Some(Message::Appended { term, len, fits }) = call(self.others[at], &message).await
        else {
            return 0;
        };
        self.enter(term);
        self.lens.borrow_mut()[at] = match fits {
            true => sent,
            false => len.min(from.saturating_sub(1)), // it has to begin earlier
        };
        if fits { sent } else { 0 }
    }

    async fn put(&self, key: String, value: String) -> Message {
        if !self.is_leader.get() {
            return Message::Elsewhere;
        }
        let (term, done) = (self.disk.term.get(), value.clone());
        self.disk.log.borrow_mut().push(Entry { term, key, value });
        match self.replicate().await {
            true => Message::Done { value: done },
            false => Message::Elsewhere, // it may come to be written all the same
        }
    }

    /// A leader answers when a majority has its log, with an entry of its own term at the end: so no
    /// other leads by then.
    async fn get(&self, key: &str) -> Message {
        let marker = self.put("leader".into(), "here".into()).await;
        if marker == Message::Elsewhere {
            return marker;
        }
        let log = self.disk.log.borrow();
        let found = log.iter().rfind(|entry| entry.key == key);
        Message::Done {
            value: found.map_or("none".into(), |entry| entry.value.clone()),
        }
    }
}
