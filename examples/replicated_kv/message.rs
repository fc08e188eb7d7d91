//! The messages of the replicas and their clients: words in a datagram.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use coro::net::UdpSocket;
use coro::timeout;

/// The port of each replica.
pub(crate) const PORT: u16 = 7;

/// The time for which a caller waits for an answer.
const PATIENCE: Duration = Duration::from_millis(20);

/// A value under a key, and the term of the leader that took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) term: u64,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A log's last term and its length: of two logs, the greater has every acknowledged entry.
pub(crate) type Progress = (u64, usize);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// From a leader: the entries from `from` on; before them the log must have `before`.
    Append {
        term: u64,
        from: usize,
        before: u64,
        entries: Vec<Entry>,
    },
    /// The log has this length; or it is another, and the leader must begin earlier.
    Appended {
        term: u64,
        len: usize,
        fits: bool,
    },
    /// A candidate asks for a vote.
    Elect {
        term: u64,
        progress: Progress,
    },
    Vote {
        term: u64,
        granted: bool,
    },
    /// From a client.
    Put {
        key: String,
        value: String,
    },
    Get {
        key: String,
    },
    /// The write is acknowledged; or the value that was asked for.
    Done {
        value: String,
    },
    /// Another replica leads, or none does.
    Elsewhere,
}

impl Message {
    pub(crate) fn encode(&self) -> String {
        match self {
            Message::Append {
                term,
                from,
                before,
                entries,
            } => {
                let mut text = format!("append {term} {from} {before}");
                for entry in entries {
                    text += &format!(" {} {} {}", entry.term, entry.key, entry.value);
                }
                text
            }
            Message::Appended { term, len, fits } => {
                format!("appended {term} {len} {}", u8::from(*fits))
            }
            Message::Elect { term, progress } => {
                format!("elect {term} {} {}", progress.0, progress.1)
            }
            Message::Vote { term, granted } => format!("vote {term} {}", u8::from(*granted)),
            Message::Put { key, value } => format!("put {key} {value}"),
            Message::Get { key } => format!("get {key}"),
            Message::Done { value } => format!("done {value}"),
            Message::Elsewhere => "elsewhere".into(),
        }
    }

    /// `None` if it is no message.
    pub(crate) fn decode(text: &[u8]) -> Option<Message> {
        let text = str::from_utf8(text).ok()?;
        let words: Vec<&str> = text.split(' ').collect();
        let number = |at: usize| words.get(at)?.parse::<u64>().ok();
        let len = |at: usize| words.get(at)?.parse::<usize>().ok();
        let word = |at: usize| words.get(at).map(|word| (*word).to_owned());
        Some(match words[0] {
            "append" => {
                let entry = |part: &[&str]| match part {
                    [term, key, value] => Some(Entry {
                        term: term.parse().ok()?,
                        key: (*key).into(),
                        value: (*value).into(),
                    }),
                    _ => None,
                };
                Message::Append {
                    term: number(1)?,
                    from: len(2)?,
                    before: number(3)?,
                    entries: words[4..].chunks(3).map(entry).collect::<Option<_>>()?,
                }
            }
            "appended" => Message::Appended {
                term: number(1)?,
                len: len(2)?,
                fits: number(3)? == 1,
            },
            "elect" => Message::Elect {
                term: number(1)?,
                progress: (number(2)?, len(3)?),
            },
            "vote" => Message::Vote {
                term: number(1)?,
                granted: number(2)? == 1,
            },
            "put" => Message::Put {
                key: word(1)?,
                value: word(2)?,
            },
            "get" => Message::Get { key: word(1)? },
            "done" => Message::Done { value: word(1)? },
            "elsewhere" => Message::Elsewhere,
            _ => return None,
        })
    }
}

/// Asks a replica, and waits for its answer for a while.
pub(crate) async fn call(to: IpAddr, message: &Message) -> Option<Message> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    let to = SocketAddr::new(to, PORT);
    socket.send_to(message.encode().as_bytes(), to).await.ok()?;
    let mut answer = [0; 1500];
    let answered = timeout(PATIENCE, socket.recv_from(&mut answer)).await;
    let (len, _) = answered.ok()?.ok()?;
    Message::decode(&answer[..len])
}
