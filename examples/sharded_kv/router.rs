//! The `Router`, which has each command executed where its keys live.

use coro::cores::{Core, Sharded};
use coro::gather;

use crate::resp::{self, Command, Reply};
use crate::store::Store;

/// The stores of all cores.
#[derive(Clone)]
pub(crate) struct Router {
    stores: Sharded<Store>,
}

/// A command, and the bytes that it was read from.
pub(crate) struct Received<'a> {
    pub(crate) words: Command<'a>,
    pub(crate) bytes: &'a [u8],
}

/// The commands for another core, as a client would send them, with the places of their replies.
#[derive(Clone, Default)]
struct Part {
    places: Vec<usize>,
    bytes: Vec<u8>,
}

impl Part {
    fn push(&mut self, place: usize, bytes: &[u8]) {
        self.places.push(place);
        self.bytes.extend_from_slice(bytes);
    }

    /// Executes the commands, and gives the replies with their places.
    fn run(&self, store: &Store) -> Vec<(usize, Reply)> {
        let mut rest = &self.bytes[..];
        let mut run = |place: &usize| {
            let (command, len) = resp::parse(rest).ok()??;
            rest = &rest[len..];
            Some((*place, store.run(&command)))
        };
        self.places.iter().map_while(&mut run).collect()
    }
}

/// A command as a client would send it.
fn written(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The replies to commands, at their places.
struct Replies(Vec<Option<Reply>>);

impl Replies {
    /// Adds a reply: of a command of several parts, numbers are added up.
    fn add(&mut self, place: usize, reply: Reply) {
        let before = self.0[place].take();
        self.0[place] = Some(match (before, reply) {
            (Some(Reply::Integer(sum)), Reply::Integer(more)) => Reply::Integer(sum + more),
            (_, reply) => reply,
        });
    }
}

impl Default for Router {
    fn default() -> Self {
        Router {
            stores: Sharded::new(Store::default),
        }
    }
}

impl Router {
    /// Executes the commands, and writes their replies in the same order. Commands that have a key in
    /// common are executed in their order, as they come to one core in one message.
    pub(crate) async fn run(&self, commands: &[Received<'_>], answers: &mut Vec<u8>) {
        let mut replies = Replies(commands.iter().map(|_| None).collect());
        let elsewhere = self.run_here(commands, &mut replies);
        let calls = elsewhere.into_iter().enumerate();
        let calls = calls.filter(|(_, part)| !part.places.is_empty());
        let calls: Vec<_> = calls
            .map(|(core, part)| self.stores.on_core(core, move |store| part.run(store)))
            .collect();
        if !calls.is_empty() {
            for (place, reply) in gather(calls).await.into_iter().flatten().flatten() {
                replies.add(place, reply);
            }
        }
        let lost = || Reply::Error("ERR the core of this key has ended".into());
        for reply in replies.0 {
            reply.unwrap_or_else(lost).write(answers);
        }
    }

    /// Executes the commands whose keys live on this core, and gives the parts of the others.
    fn run_here(&self, commands: &[Received<'_>], replies: &mut Replies) -> Vec<Part> {
        let core = Core::current();
        let mut parts = vec![Part::default(); core.count()];
        self.stores.here(|store| {
            let mut run = |home: usize, place: usize, words: &[&[u8]], bytes: &[u8]| match home
                == core.index()
            {
                true => replies.add(place, store.run(words)),
                false => parts[home].push(place, bytes),
            };
            for (place, Received { words, bytes }) in commands.iter().enumerate() {
                match (route_of(words[0]), words.len()) {
                    (Route::Keys, 3..) => {
                        for key in &words[1..] {
                            let one = [words[0], key];
                            run(self.stores.home(*key), place, &one, &written(&one));
                        }
                    }
                    (Route::All, _) => {
                        (0..core.count()).for_each(|home| run(home, place, words, bytes));
                    }
                    (Route::Key | Route::Keys, 2..) => {
                        run(self.stores.home(words[1]), place, words, bytes);
                    }
                    _ => run(core.index(), place, words, bytes),
                }
            }
        });
        parts
    }

    /// How many keys each core has.
    pub(crate) async fn sizes(&self) -> Vec<i64> {
        let size = |store: &mut Store| match store.run(&[b"DBSIZE"]) {
            Reply::Integer(size) => size,
            _ => 0,
        };
        let sizes = self.stores.each(size).await;
        sizes.into_iter().map(|size| size.unwrap_or(0)).collect()
    }
}

/// The cores that a command goes to.
enum Route {
    /// That of its key, the first argument.
    Key,
    /// Those of its keys, which all arguments are.
    Keys,
    All,
    Any,
}

fn route_of(name: &[u8]) -> Route {
    let is_any = |others: &[&[u8]]| others.iter().any(|it| name.eq_ignore_ascii_case(it));
    if matches!(name, b"GET" | b"SET") || is_any(&[b"GET", b"SET", b"INCR", b"DECR"]) {
        Route::Key
    } else if is_any(&[b"DEL", b"EXISTS"]) {
        Route::Keys
    } else if is_any(&[b"DBSIZE"]) {
        Route::All
    } else {
        Route::Any
    }
}
