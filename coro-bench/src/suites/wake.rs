//! The cost of waking a task: from a task of the same loop, or from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

use crate::harness::{Bound, Case, Effort, Role, Sample, Suite, time, time_async, time_wall};
use crate::machine::{self, Poller};
use crate::runtimes::{Runtime, in_task, subjects};
use crate::work::Slot;

pub(crate) fn suite() -> Suite {
    Suite::new("wake", "a task that waits is woken and polled")
        .case(
            subjects!(
                Case::new("through a local one-slot channel", "coro"),
                [
                    Coro,
                    TokioLocalSet,
                    TokioLocalRuntime,
                    Smol,
                    Monoio,
                    Compio,
                    Glommio,
                    LocalPool,
                    AsyncTask,
                ],
                |effort| there_and_back::<R>(effort.count(1_000_000))
            )
            .goal(Bound::AtMost(10.0))
            .goal(Bound::AheadOfPeers(3.5)),
        )
        .case(
            subjects!(
                Case::new("from another thread, streaming", "coro"),
                [
                    Coro,
                    TokioLocalSet,
                    TokioLocalRuntime,
                    Smol,
                    Monoio,
                    Compio,
                    Glommio,
                    LocalPool,
                ],
                |effort| streaming::<R>(*effort)
            )
            .subject("eventfd", Role::Floor, |effort| {
                through_eventfd(effort.count(1_000_000))
            })
            .goal(Bound::AheadOfPeers(1.0)),
        )
}

/// Two tasks send a number to and fro; each message is one wake and one poll.
fn there_and_back<R: Runtime>(messages: u64) -> Sample {
    in_task::<R, _>(time_async(messages, move || async move {
        let (there, back) = (Slot::new(), Slot::new());
        let (requests, replies) = (there.clone(), back.clone());
        let echo = R::spawn(async move {
            for _ in 0..messages / 2 {
                let message = requests.receive().await;
                replies.send(message + 1);
            }
        });
        for message in 0..messages / 2 {
            there.send(message);
            back.receive().await;
        }
        echo.await;
    }))
}

/// A thread on another core wakes a task as fast as it can, until the task has seen the last wake.
fn streaming<R: Runtime>(effort: Effort) -> Sample {
    let wakes = effort.count(1_000_000);
    in_task::<R, _>(time_wall(wakes, move || async move {
        let sent = Arc::new(AtomicU64::new(0));
        let mut sender = None;
        std::future::poll_fn(|cx| {
            if sender.is_none() {
                let (sent, waker) = (sent.clone(), cx.waker().clone());
                sender = Some(thread::spawn(move || {
                    let _exit = ExitOnPanic;
                    machine::bind(effort.other_core);
                    for _ in 0..wakes {
                        sent.fetch_add(1, SeqCst);
                        waker.wake_by_ref();
                    }
                }));
            }
            match sent.load(SeqCst) == wakes {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        let joined = sender.take().map(thread::JoinHandle::join);
        assert!(matches!(joined, Some(Ok(()))), "the sender has sent all");
    }))
}

/// Ends the process if its thread panics, so that the task does not wait for wakes that never come.
struct ExitOnPanic;

impl Drop for ExitOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::exit(101);
        }
    }
}

/// The kernel's cost of one wake-up that is not coalesced: a write, then a wait.
fn through_eventfd(wakes: u64) -> Sample {
    let mut poller = Poller::with_idle_descriptor().map_err(|error| error.to_string())?;
    time(wakes, || {
        for _ in 0..wakes {
            poller
                .signal_and_wait()
                .expect("the wait is not interrupted");
        }
    })
}
