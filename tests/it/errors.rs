//! Public errors: the traits that all of them have, the conversions that `?` makes.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::{pending, ready};
use std::panic::panic_any;
use std::path::Path;
use std::{fs, io};

use coro::group::{Policy, ScopeError};
use coro::threads::to_thread;
use coro::{JoinError, TaskGroup, sleep, spawn, timeout, try_scope};

use crate::support::ms;

/// Compiles for errors that may be sent, shared and boxed.
fn is_error<E: Error + Send + Sync + 'static>() {}

/// The names of the given types, each of which must satisfy [`is_error`].
macro_rules! errors {
    ($($(#[$on:meta])? $($path:ident)::+ $(<$T:ty>)?),+ $(,)?) => {{
        let mut names = BTreeSet::new();
        $($(#[$on])? {
            is_error::<$($path)::+ $(<$T>)?>();
            names.extend([stringify!($($path)::+).split("::").last().unwrap().trim().to_owned()]);
        })+
        names
    }};
}

/// A value that is `Send` and `Sync`, for errors that give a value back.
type Value = u32;

fn public_errors() -> BTreeSet<String> {
    errors![
        coro::group::Cancelled,
        coro::cores::CoreError<Value>,
        coro::Elapsed,
        coro::group::GroupClosed,
        coro::JoinError,
        coro::event_loop::LoopClosed,
        coro::generator::ResumeError<Value>,
        coro::group::ScopeError<Value>,
        coro::event_loop::Stopped,
        coro::net::ConnectError,
        coro::net::ReadError,
        coro::net::tls::TlsError,
        coro::sync::BrokenBarrier,
        coro::sync::Closed,
        coro::sync::SendError<Value>,
        coro::sync::TryRecvError,
        coro::sync::TrySendError<Value>,
        coro::sync::broadcast::Lagged,
        coro::sync::broadcast::RecvError,
        coro::sync::broadcast::TryRecvError,
        coro::testing::FailedRun,
    ]
}

/// Errors that no user can name: they stand inside others as a `dyn Error + Send + Sync`.
const PRIVATE: [&str; 4] = ["CommandFailure", "Explained", "Failures", "StatusStolen"];

/// It gives two halves of a stream back, and these stay on the thread of their loop.
const ON_ONE_THREAD: [&str; 1] = ["ReuniteError"];

/// The types for which a file implements `Error`.
fn implemented(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with("impl"));
    lines
        .filter_map(|line| {
            let name = line
                .split_once("Error for ")
                .filter(|(before, _)| before.ends_with([' ', ':']))?
                .1;
            let end = name.find(|c: char| !c.is_alphanumeric())?;
            Some(name[..end].to_owned())
        })
        .collect()
}

fn gather_implemented(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => gather_implemented(&path, found),
            false => found.extend(implemented(&fs::read_to_string(&path).unwrap())),
        }
    }
}

#[test]
fn every_error_can_be_sent_shared_and_boxed() {
    let mut found = BTreeSet::new();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    gather_implemented(&root.join("coro-core/src"), &mut found);
    let exceptions = PRIVATE.iter().chain(&ON_ONE_THREAD);
    let mut listed = public_errors();
    listed.extend(exceptions.map(|&name| name.to_owned()));
    assert_eq!(found, listed, "list each error here");
}

/// Functions whose errors are all turned into `$Error` by `?`.
macro_rules! question_marks {
    ($name:ident: $Error:ty) => {
        mod $name {
            use super::*;

            async fn succeeds() -> Result<i32, $Error> {
                let group = TaskGroup::<$Error>::fallible();
                let member = group.try_spawn(async { Ok(1) })?;
                group.join().await?;
                let sum = try_scope(async |s| {
                    let child = s.try_spawn(async { Ok(2) });
                    Ok::<_, $Error>(child.await)
                });
                let job = to_thread(|| 4).await?;
                let in_time = timeout(ms(100), ready(8)).await?;
                Ok(member.await? + sum.await? + job + in_time + spawn(ready(16)).await?)
            }

            async fn fails(at: usize) -> Result<(), $Error> {
                let no = || -> Result<(), $Error> { Err(io::Error::other("no"))? };
                match at {
                    0 => spawn(async { panic!("no") }).await?,
                    1 => to_thread(|| panic!("no")).await?,
                    2 => try_scope(async |_| no()).await?,
                    3 => {
                        let group = TaskGroup::<$Error>::fallible();
                        drop(group.try_spawn(async move { no() })?);
                        group.join().await?;
                    }
                    4 => timeout(ms(1), pending()).await?,
                    _ => {
                        let group = TaskGroup::<$Error>::fallible();
                        group.cancel("no");
                        drop(group.spawn(ready(()))?);
                    }
                }
                Ok(())
            }

            #[coro::test(real)]
            async fn question_marks_work() {
                assert_eq!(succeeds().await.unwrap(), 31);
                for at in 0..=5 {
                    let error = fails(at).await.unwrap_err().to_string();
                    assert!(
                        error.contains(["no", "passed"][usize::from(at == 4)]),
                        "{error}"
                    );
                }
            }
        }
    };
}

question_marks!(anyhow: ::anyhow::Error);
question_marks!(eyre: ::eyre::Report);
question_marks!(boxed: Box<dyn Error + Send + Sync>);

#[coro::test]
async fn each_goes_into_an_io_error() {
    async fn all() -> io::Result<()> {
        spawn(async {}).await.map_err(io::Error::other)?;
        timeout(ms(1), ready(())).await.map_err(io::Error::other)?;
        let scope = try_scope(async |_| Ok::<_, ::anyhow::Error>(()));
        scope.await.map_err(io::Error::other)?;
        let group = TaskGroup::<Box<dyn Error + Send + Sync>>::fallible();
        group.join().await.map_err(io::Error::other)?;
        spawn(async { panic!("at the end") })
            .await
            .map_err(io::Error::other)
    }
    let error = all().await.unwrap_err();
    let inner = error.into_inner().unwrap().downcast::<JoinError>().unwrap();
    assert!(inner.is_panic());
}

#[coro::test]
async fn a_payload_that_may_not_be_shared_comes_out_of_an_error_that_may() {
    let error = spawn(async { panic_any(Cell::new(7)) }).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("panicked: (a payload that is no text)")
    );
    let shared: Box<dyn Error + Send + Sync> = error.into();
    let error: Box<JoinError> = shared.downcast().unwrap();
    let payload: Box<dyn Any> = error.into_panic();
    assert_eq!(payload.downcast_ref::<Cell<i32>>().unwrap().get(), 7);
}

#[derive(Debug)]
struct Outer(io::Error);

impl Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

async fn failed<E: Debug + 'static>(failures: [E; 2]) -> ScopeError<E> {
    let scope = try_scope(async |s| {
        s.policy(Policy::Collect);
        for failure in failures {
            s.try_spawn(async { Err::<(), _>(failure) });
        }
        Ok(())
    });
    scope.await.unwrap_err()
}

#[coro::test]
async fn the_causes_of_a_first_failure_are_not_lost() {
    let outer = || Outer(io::Error::other("inner"));
    let anyhow = failed([outer().into(), ::anyhow::anyhow!("second")]).await;
    assert_eq!(anyhow.to_string(), "outer: inner, and 1 more failure");
    let eyre = failed([outer().into(), ::eyre::eyre!("second")]).await;
    assert_eq!(eyre.to_string(), "outer: inner, and 1 more failure");
    let boxed = failed([outer(), outer()])
        .await
        .map(Box::<dyn Error + Send + Sync>::from);
    assert_eq!(boxed.to_string(), "outer, and 1 more failure");
    assert_eq!(boxed.source().unwrap().to_string(), "inner");
}

#[coro::test]
async fn failures_beside_another_cause_are_its_source() {
    let scope = try_scope(async |s| {
        s.policy(Policy::Collect);
        s.timeout(ms(2));
        s.try_spawn(async { Err::<(), _>("first") });
        s.try_spawn(async {
            sleep(ms(1)).await;
            Err::<(), _>("second")
        });
        pending::<Result<(), _>>().await
    });
    let error = scope.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the deadline has passed, and 2 more failures"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "first, and 1 more failure"
    );
}
