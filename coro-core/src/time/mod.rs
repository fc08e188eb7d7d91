//! Waits that end when time has passed, `sleep`, `timeout`, `Deadline`, `Interval`; and `now`.

mod deadline;
mod interval;
mod present;
mod sleep;
mod timeout;
mod yield_now;

pub use deadline::{Deadline, fail_after};
pub use interval::{Interval, interval};
pub use present::{now, system_now};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};
pub use yield_now::{YieldNow, yield_now};
