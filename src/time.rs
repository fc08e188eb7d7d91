//! Waiting until an instant, with a deadline, or for the next turn; and the present.

pub use coro_core::time::{
    Deadline, Interval, Sleep, Timeout, YieldNow, fail_after, now, sleep_until, system_now,
    timeout_at,
};
