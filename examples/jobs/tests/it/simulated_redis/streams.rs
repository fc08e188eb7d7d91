//! `Streams`: entries, groups and the entries that workers hold; the time is an argument.

use std::collections::{BTreeMap, BTreeSet};

use super::resp::{Reply, number};

/// The number of an entry: milliseconds, and a count.
pub(super) type EntryId = (u64, u64);

/// The names and values of an entry, one after the other.
type Fields = Vec<Vec<u8>>;

/// All streams, and the tokens of jobs that are pushed once.
#[derive(Default)]
pub(crate) struct Streams {
    streams: BTreeMap<Vec<u8>, OneStream>,
    /// Until when each token counts.
    pub(super) tokens: BTreeMap<Vec<u8>, u64>,
    added: u64,
}

#[derive(Default)]
pub(super) struct OneStream {
    pub(super) entries: BTreeMap<EntryId, Fields>,
    last: EntryId,
    pub(super) group: Option<WorkerGroup>,
}

#[derive(Default)]
pub(super) struct WorkerGroup {
    delivered: EntryId,
    pub(super) held: BTreeMap<EntryId, Delivered>,
    pub(super) workers: BTreeSet<Vec<u8>>,
}

/// An entry that a worker holds.
pub(super) struct Delivered {
    pub(super) worker: Vec<u8>,
    pub(super) since: u64,
    pub(super) count: i64,
}

pub(super) fn bulk(text: impl AsRef<[u8]>) -> Reply {
    Reply::Bulk(text.as_ref().to_vec())
}

pub(super) fn written((millis, count): EntryId) -> Reply {
    bulk(format!("{millis}-{count}"))
}

pub(super) fn entry_id(text: &[u8]) -> Option<EntryId> {
    let (millis, count) = std::str::from_utf8(text).ok()?.split_once('-')?;
    Some((millis.parse().ok()?, count.parse().ok()?))
}

pub(super) fn entry((id, fields): (&EntryId, &Fields)) -> Reply {
    let fields = fields.iter().map(bulk).collect();
    Reply::Array(vec![written(*id), Reply::Array(fields)])
}

pub(super) fn no_group(stream: &[u8], group: &[u8], place: &str) -> Reply {
    let (stream, group) = (
        String::from_utf8_lossy(stream),
        String::from_utf8_lossy(group),
    );
    Reply::Error(format!(
        "NOGROUP No such key '{stream}' or consumer group '{group}'{place}"
    ))
}

impl OneStream {
    fn add(&mut self, fields: &[Vec<u8>], now: u64) -> EntryId {
        self.last = match self.last {
            (millis, count) if millis >= now => (millis, count + 1),
            _ => (now, 0),
        };
        self.entries.insert(self.last, fields.to_vec());
        self.last
    }
}

impl Streams {
    /// How many entries were ever added.
    pub(super) fn added(&self) -> u64 {
        self.added
    }

    /// The payloads of a stream's entries.
    pub(crate) fn payloads(&self, stream: &str) -> Vec<String> {
        let entries = self.streams.get(stream.as_bytes()).into_iter();
        let entries = entries.flat_map(|stream| stream.entries.values());
        let payload = |fields: &Fields| String::from_utf8_lossy(&fields[1]).into_owned();
        entries.map(payload).collect()
    }

    pub(super) fn stream(&mut self, name: &[u8]) -> &mut OneStream {
        self.streams.entry(name.to_vec()).or_default()
    }

    pub(super) fn group(&mut self, stream: &[u8]) -> Option<&mut WorkerGroup> {
        self.streams.get_mut(stream)?.group.as_mut()
    }

    pub(super) fn add(&mut self, stream: &[u8], fields: &[Vec<u8>], now: u64) -> Reply {
        self.added += 1;
        written(self.stream(stream).add(fields, now))
    }

    pub(crate) fn run(&mut self, command: &[Vec<u8>], now: u64) -> Reply {
        let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        match words[..] {
            [b"CLIENT", ..] => Reply::Simple("OK"),
            [b"XADD", stream, b"*", ..] => self.add(stream, &command[3..], now),
            [b"XLEN", stream] => {
                let stream = self.streams.get(stream);
                Reply::Integer(stream.map_or(0, |stream| stream.entries.len() as i64))
            }
            [b"XGROUP", b"CREATE", stream, _, b"0", b"MKSTREAM"] => {
                match &mut self.stream(stream).group {
                    Some(_) => Reply::Error("BUSYGROUP Consumer Group name already exists".into()),
                    group => {
                        *group = Some(WorkerGroup::default());
                        Reply::Simple("OK")
                    }
                }
            }
            [b"XREADGROUP", b"GROUP", group, worker, b"COUNT", most, ..] => {
                let stream = words[words.len() - 2];
                let most = number(most).unwrap_or(0);
                self.read(stream, group, worker, most as usize, now)
            }
            [b"XPENDING", stream, group] => self.pending(stream, group),
            [b"EVAL", script, ..] => self.eval(script, &command[3..], now),
            _ => Reply::Error(format!("ERR not simulated: {:?}", command.first())),
        }
    }

    fn read(&mut self, name: &[u8], of: &[u8], worker: &[u8], most: usize, now: u64) -> Reply {
        let stream = self.streams.get_mut(name);
        let group = stream.and_then(|stream| Some((&stream.entries, stream.group.as_mut()?)));
        let Some((entries, group)) = group else {
            return no_group(name, of, " in XREADGROUP with GROUP option");
        };
        group.workers.insert(worker.to_vec());
        let after = (group.delivered.0, group.delivered.1 + 1);
        let mut read = Vec::new();
        for new in entries.range(after..).take(most) {
            group.delivered = *new.0;
            let delivered = Delivered {
                worker: worker.to_vec(),
                since: now,
                count: 1,
            };
            group.held.insert(*new.0, delivered);
            read.push(entry(new));
        }
        match read.is_empty() {
            true => Reply::Nil,
            false => Reply::Array(vec![Reply::Array(vec![bulk(name), Reply::Array(read)])]),
        }
    }

    fn pending(&mut self, stream: &[u8], group: &[u8]) -> Reply {
        let Some(of_group) = self.group(stream) else {
            return no_group(stream, group, "");
        };
        let held = &of_group.held;
        let (Some((first, _)), Some((last, _))) = (held.first_key_value(), held.last_key_value())
        else {
            return Reply::Array(vec![Reply::Integer(0), Reply::Nil, Reply::Nil, Reply::Nil]);
        };
        let mut counts = BTreeMap::<&[u8], i64>::new();
        for delivered in held.values() {
            *counts.entry(&delivered.worker).or_default() += 1;
        }
        let counts = counts.into_iter();
        let counts =
            counts.map(|(worker, n)| Reply::Array(vec![bulk(worker), bulk(n.to_string())]));
        let total = Reply::Integer(held.len() as i64);
        Reply::Array(vec![
            total,
            written(*first),
            written(*last),
            Reply::Array(counts.collect()),
        ])
    }
}
