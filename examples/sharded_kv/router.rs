//! The `Router`, which has each command executed where its keys live.

use coro::cores::{Core, Sharded};
use coro::gather;

use crate::resp::{Command, Reply};
use crate::store::Store;

/// The stores of all cores.
#[derive(Clone)]
pub(crate) struct Router {
    stores: Sharded<Store>,
}

/// A command for one core, with the place of its reply.
type Part = (usize, Command);

impl Default for Router {
    fn default() -> Self {
        Router {
            stores: Sharded::new(Store::default),
        }
    }
}

impl Router {
    /// Executes the commands, and gives their replies in the same order. Commands that have a key in
    /// common are executed in their order, as they come to one core in one message.
    pub(crate) async fn run(&self, commands: Vec<Command>) -> Vec<Reply> {
        let count = commands.len();
        let calls = self.split(commands).into_iter().enumerate();
        let calls = calls
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(core, parts)| {
                self.stores.on_core(core, move |store| {
                    let run = |(place, command): Part| (place, store.run(&command));
                    parts.into_iter().map(run).collect::<Vec<_>>()
                })
            });
        let mut replies: Vec<Option<Reply>> = (0..count).map(|_| None).collect();
        for ran in gather(calls.collect::<Vec<_>>()).await {
            for (place, reply) in ran.unwrap_or_default() {
                let before = replies[place].take();
                replies[place] = Some(joined(before, reply));
            }
        }
        let lost = || Reply::Error("ERR the core of this key has ended".into());
        replies
            .into_iter()
            .map(|reply| reply.unwrap_or_else(lost))
            .collect()
    }

    /// How many keys each core has.
    pub(crate) async fn sizes(&self) -> Vec<i64> {
        let size = |store: &mut Store| match store.run(&vec![b"DBSIZE".to_vec()]) {
            Reply::Integer(size) => size,
            _ => 0,
        };
        let sizes = self.stores.each(size).await;
        sizes.into_iter().map(|size| size.unwrap_or(0)).collect()
    }

    /// The parts of the commands for each core.
    fn split(&self, commands: Vec<Command>) -> Vec<Vec<Part>> {
        let core = Core::current();
        let mut parts: Vec<Vec<Part>> = (0..core.count()).map(|_| Vec::new()).collect();
        for (place, command) in commands.into_iter().enumerate() {
            match (route_of(&command[0]), command.len()) {
                (Route::Keys, 3..) => {
                    for key in &command[1..] {
                        let one = vec![command[0].clone(), key.clone()];
                        parts[self.stores.home(key)].push((place, one));
                    }
                }
                (Route::All, _) => {
                    for parts in &mut parts {
                        parts.push((place, command.clone()));
                    }
                }
                (Route::Key | Route::Keys, 2..) => {
                    parts[self.stores.home(&command[1])].push((place, command));
                }
                _ => parts[core.index()].push((place, command)),
            }
        }
        parts
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
    if is_any(&[b"GET", b"SET", b"INCR", b"DECR"]) {
        Route::Key
    } else if is_any(&[b"DEL", b"EXISTS"]) {
        Route::Keys
    } else if is_any(&[b"DBSIZE"]) {
        Route::All
    } else {
        Route::Any
    }
}

/// The reply to a command of several parts: numbers are added up.
fn joined(before: Option<Reply>, reply: Reply) -> Reply {
    match (before, reply) {
        (Some(Reply::Integer(sum)), Reply::Integer(more)) => Reply::Integer(sum + more),
        (_, reply) => reply,
    }
}
