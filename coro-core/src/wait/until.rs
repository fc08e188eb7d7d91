//! Waiting until an instant.

use std::panic::Location;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::event_loop::{ArmedTimer, LoopHandle};
use crate::task::{Step, looking};

/// A wait until an instant, or for a duration that counts from the first poll.
pub(crate) enum Until {
    After(Duration),
    At(Instant),
    ArmedTimer(ArmedTimer),
    Over,
}

impl Until {
    /// Ready once the instant has come, but never at the first poll.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and inside of another loop than that of the first poll: only that one fires
    /// the timer.
    #[track_caller]
    #[inline]
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        match self {
            Until::ArmedTimer(timer) if !timer.is_of_current_loop() => panic!(
                "waiting for an instant outside of the event loop where the wait began, which \
                 alone ends it: await it there, or begin another wait here"
            ),
            Until::After(delay) => {
                *self = Until::ArmedTimer(LoopHandle::current().arm_after(*delay, cx))
            }
            Until::At(when) => *self = Until::ArmedTimer(LoopHandle::current().arm_at(*when, cx)),
            Until::ArmedTimer(timer) if timer.has_fired(cx) => *self = Until::Over,
            Until::ArmedTimer(_) => {}
            Until::Over => return Poll::Ready(()),
        }
        match self {
            Until::Over => Poll::Ready(()),
            Until::ArmedTimer(timer) if looking::is_looking_here() => {
                let due = timer.due();
                looking::leaf_at(Step::Timer { due }, Location::caller(), "a timer");
                Poll::Pending
            }
            _ => Poll::Pending,
        }
    }
}
