//! The thread of one core: its loop, from the start to the end of the run.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::task::Poll;

use super::core_handle::CoreHandle;
use super::error::CoreFailure;
use super::output::CoreOutput;
use super::team::{Seat, Team};
use crate::error::{JoinError, Stopped};
use crate::event_loop::{self, EventLoop, RemoteHandle};
use crate::panics::Payload;
use crate::sync::remote::channel::Sender;
#[cfg(feature = "affinity")]
use crate::sys::pin_to;
use crate::task::{Step, looking};

/// The end of the main future of a core.
pub(super) enum CoreOutcome<V, E> {
    Value(V),
    Failed(CoreFailure<E>),
    /// Dropped, as the run was cancelled or interrupted.
    Cancelled,
}

/// The outcomes of all cores, with their indices.
pub(super) type Outcomes<O> = Sender<(
    usize,
    CoreOutcome<<O as CoreOutput>::Value, <O as CoreOutput>::Error>,
)>;

/// A core that is to be started.
pub(super) struct CoreWorker<O: CoreOutput> {
    pub(super) index: usize,
    pub(super) settings: event_loop::Builder,
    /// The processor that the thread is pinned to.
    pub(super) processor: Option<usize>,
    pub(super) outcomes: Outcomes<O>,
}

/// The steps by which the cores wait for one another before any of them begins.
pub(super) struct CoreStart {
    /// Tells of the loop of this core.
    pub(super) made: SyncSender<io::Result<RemoteHandle>>,
    /// Brings the loops of all, once they are made; closed if one of them could not be.
    pub(super) team: Receiver<Arc<Team>>,
}

impl<O: CoreOutput> CoreWorker<O> {
    /// Makes the loop, runs the main future on it, and goes on until the core is released.
    pub(super) fn work(self, start: CoreStart, main: impl AsyncFn(CoreHandle) -> O) {
        let (index, outcomes) = (self.index, self.outcomes.clone());
        // The main future's own panics are caught further in: this one is of the loop's surroundings.
        let worked = catch_unwind(AssertUnwindSafe(|| self.run(start, main)));
        if let Err(payload) = worked {
            tell(
                &outcomes,
                index,
                CoreOutcome::Failed(panicked(index, payload)),
            );
        }
    }

    fn run(self, start: CoreStart, main: impl AsyncFn(CoreHandle) -> O) {
        let mut event_loop = match self.make_loop() {
            Ok(event_loop) => event_loop,
            Err(error) => return drop(start.made.send(Err(error))),
        };
        let handle = event_loop.handle();
        let _ = start.made.send(Ok(handle.remote())); // refused, there is no team to wait for either
        let Ok(team) = start.team.recv() else {
            return;
        };
        let seat = Seat::of(&handle);
        seat.take_place(team, self.index);
        let core = CoreHandle::of(&handle).expect("its place was taken above");
        let ran = event_loop.run_until_complete(catch(main, core));
        let outcome = outcome_of(ran, self.index, &seat);
        tell(&self.outcomes, self.index, outcome);
        while !seat.is_released() {
            let _ = event_loop.run_until_complete(release()); // stopped by the release, or by the program
        }
        event_loop.drain();
        let drop_shards = || async { seat.drop_shards() };
        while event_loop.run_until_complete(drop_shards()).is_err() {} // stopped by a release before
        event_loop.close();
    }

    fn make_loop(&self) -> io::Result<EventLoop> {
        #[cfg(feature = "affinity")]
        if let Some(processor) = self.processor {
            pin_to(processor)?;
        }
        self.settings.clone().build()
    }
}

async fn catch<O>(main: impl AsyncFn(CoreHandle) -> O, core: CoreHandle) -> Result<O, Payload> {
    let mut main = pin!(async { main(core).await });
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| main.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    })
    .await
}

fn outcome_of<O: CoreOutput>(
    ran: Result<Result<O, Payload>, Stopped>,
    index: usize,
    seat: &Seat,
) -> CoreOutcome<O::Value, O::Error> {
    match ran {
        Ok(Ok(output)) => match output.into_result() {
            Ok(value) => CoreOutcome::Value(value),
            Err(error) => CoreOutcome::Failed(CoreFailure::Error(error)),
        },
        Ok(Err(payload)) => CoreOutcome::Failed(panicked(index, payload)),
        Err(_) if seat.is_cancelled() => CoreOutcome::Cancelled,
        Err(_) => CoreOutcome::Failed(CoreFailure::Stopped),
    }
}

fn panicked<E>(index: usize, payload: Payload) -> CoreFailure<E> {
    let core = format!("core {index}").into();
    CoreFailure::Panicked(JoinError::panicked(core, payload))
}

fn tell<V, E>(
    outcomes: &Sender<(usize, CoreOutcome<V, E>)>,
    index: usize,
    outcome: CoreOutcome<V, E>,
) {
    let _ = outcomes.try_send((index, outcome)); // the channel has no limit, and its receiver waits for all
}

/// Never ready: the release stops the loop.
#[inline]
fn release() -> impl Future<Output = ()> {
    poll_fn(|_| {
        if looking::is_looking() {
            let of = "the end of the other cores";
            looking::outside(Step::Notice { of });
        }
        Poll::Pending
    })
}
