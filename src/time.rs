//! Waiting until an instant, with a deadline, or for the next turn.

pub use coro_core::time::{
    Deadline, Interval, Sleep, Timeout, YieldNow, fail_after, sleep_until, timeout_at,
};
