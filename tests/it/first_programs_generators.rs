//! Programs that a user of generators writes first, written from the documentation alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};

use coro::generator::BoxGenerator;
use coro::io::{Stream, StreamExt};
use coro::{Coroutine, CoroutineState, yield_, yield_from};
use itertools::Itertools;
use rayon::iter::{ParallelBridge, ParallelIterator};

#[test]
fn an_iterator_over_pages_asks_for_no_page_in_advance() {
    struct Client {
        asked: std::cell::Cell<u32>,
    }
    impl Client {
        fn page(&self, number: u32) -> Vec<u32> {
            self.asked.set(self.asked.get() + 1);
            if number < 3 {
                vec![number * 2, number * 2 + 1]
            } else {
                vec![]
            }
        }

        #[coro::coroutine(yields = u32)]
        fn items(&self) {
            for number in 0.. {
                let page = self.page(number);
                if page.is_empty() {
                    return;
                }
                yield_from!(page.into_iter());
            }
        }
    }
    let client = Client {
        asked: std::cell::Cell::new(0),
    };
    assert!(client.items().into_iter().take(2).eq([0, 1]));
    assert_eq!(client.asked.get(), 1);
    assert_eq!(client.items().into_iter().count(), 6);
}

#[test]
fn a_directory_is_walked_in_depth() -> io::Result<()> {
    #[coro::coroutine(yields = io::Result<PathBuf>, boxed)]
    fn walk(directory: PathBuf) {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                yield_!(Err(error));
                return;
            }
        };
        for entry in entries {
            match entry.map(|entry| entry.path()) {
                Ok(path) if path.is_dir() => yield_from!(walk(path)),
                other => yield_!(other),
            }
        }
    }

    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("coro-core/src");
    let files: Vec<_> = walk(source).collect::<Result<_, _>>()?;
    assert!(files.iter().any(|file| file.ends_with("task/mod.rs")));
    assert!(walk("/no/such/directory".into()).next().unwrap().is_err());
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Number(u32),
    Word(&'a str),
}

#[coro::coroutine(yields = Result<Token<'a>, String>)]
fn tokens<'a>(text: &'a str) {
    for piece in text.split_whitespace() {
        if piece.starts_with(|c: char| c.is_ascii_digit()) {
            match piece.parse() {
                Ok(number) => yield_!(Ok(Token::Number(number))),
                Err(error) => {
                    yield_!(Err(format!("{piece}: {error}")));
                    return;
                }
            }
        } else {
            yield_!(Ok(Token::Word(piece)));
        }
    }
}

#[test]
fn a_tokenizer_yields_borrows_and_errors() {
    let found: Result<Vec<_>, _> = tokens("set 12").into_iter().collect();
    assert_eq!(found.unwrap(), [Token::Word("set"), Token::Number(12)]);
    let mut found = tokens("1 2x 3").into_iter();
    assert_eq!(found.next(), Some(Ok(Token::Number(1))));
    assert!(found.next().unwrap().is_err());
    assert_eq!(found.next(), None);
}

#[test]
fn a_protocol_is_a_state_machine_that_is_fed() {
    #[derive(Debug, PartialEq)]
    enum Reply {
        Greeting,
        Continue,
        Stored(String),
    }
    #[coro::coroutine(yields = Reply, resumes = &'static str)]
    fn session() -> usize {
        let mut command = yield_!(Reply::Greeting);
        let mut stored = 0;
        while command != "QUIT" {
            if command == "DATA" {
                let mut body = Vec::new();
                loop {
                    match yield_!(Reply::Continue) {
                        "." => break,
                        line => body.push(line),
                    }
                }
                stored += 1;
                command = yield_!(Reply::Stored(body.join("\n")));
            } else {
                command = yield_!(Reply::Continue);
            }
        }
        stored
    }

    let mut session = Box::pin(session());
    assert_eq!(
        session.as_mut().start(),
        CoroutineState::Yielded(Reply::Greeting)
    );
    let mut last = None;
    for line in ["DATA", "a", "b", "."] {
        last = session.as_mut().resume(line).yielded();
    }
    assert_eq!(last, Some(Reply::Stored("a\nb".to_owned())));
    assert_eq!(session.as_mut().resume("QUIT"), CoroutineState::Complete(1));
}

#[test]
fn primes_are_kept_in_a_vector_of_the_caller() {
    #[coro::coroutine(yields = u32)]
    fn primes(known: &mut Vec<u32>) {
        for n in 2.. {
            if known.iter().all(|p| n % p != 0) {
                known.push(n);
                yield_!(n);
            }
        }
    }
    let mut known = Vec::new();
    assert!(primes(&mut known).into_iter().take(5).eq([2, 3, 5, 7, 11]));
    assert_eq!(known, [2, 3, 5, 7, 11]);
}

#[test]
fn generators_live_in_structs_and_come_from_traits() {
    trait Source {
        #[coro::coroutine(yields = u32, boxed)]
        fn readings(&self);
    }
    struct Fixed(Vec<u32>);
    impl Source for Fixed {
        #[coro::coroutine(yields = u32, boxed)]
        fn readings(&self) {
            for reading in &self.0 {
                yield_!(*reading);
            }
        }
    }
    #[coro::coroutine(yields = u32, boxed)]
    fn ids() {
        for id in 1.. {
            yield_!(id);
        }
    }
    struct Registry<'a> {
        ids: BoxGenerator<'static, u32>,
        readings: Box<dyn Iterator<Item = u32> + 'a>,
    }

    let sources: Vec<Box<dyn Source>> =
        vec![Box::new(Fixed(vec![20, 21])), Box::new(Fixed(vec![5]))];
    let mut registry = Registry {
        ids: ids(),
        readings: Box::new(sources.iter().flat_map(|source| source.readings())),
    };
    let numbered: Vec<_> = registry.ids.by_ref().zip(&mut registry.readings).collect();
    assert_eq!(numbered, [(1, 20), (2, 21), (3, 5)]);
}

#[test]
fn adaptors_of_itertools_and_rayon_take_a_generator() {
    #[coro::coroutine(yields = u64)]
    fn collatz(mut n: u64) {
        while n != 1 {
            yield_!(n);
            n = if n.is_multiple_of(2) {
                n / 2
            } else {
                3 * n + 1
            };
        }
        yield_!(1);
    }
    let falls = collatz(6)
        .into_iter()
        .tuple_windows()
        .filter(|(a, b)| a > b);
    assert_eq!(falls.count(), 6);
    let sum: u64 = collatz(27).into_iter().par_bridge().map(|n| n % 7).sum();
    assert_eq!(sum, collatz(27).into_iter().map(|n| n % 7).sum::<u64>());
}

#[coro::test]
async fn async_generators_live_in_structs_and_behind_dyn() {
    #[coro::coroutine(yields = u32)]
    async fn ticks(up_to: u32) {
        for n in 1..=up_to {
            coro::sleep(std::time::Duration::from_secs(3600)).await;
            yield_!(n);
        }
    }
    struct Clock {
        ticks: Pin<Box<dyn Stream<Item = u32>>>,
    }
    let mut clock = Clock {
        ticks: Box::pin(ticks(3)),
    };
    assert_eq!(clock.ticks.next().await, Some(1));
    let mut rest = pin!(clock.ticks.map(|n| n * 10));
    assert_eq!(rest.next().await, Some(20));
    assert_eq!(rest.collect::<Vec<_>>().await, [30]);
}
