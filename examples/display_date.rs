//! The current date with the time of day, each second for five seconds.
//!
//! ```text
//! $ cargo run --example display_date
//! 2026-01-31T23:59:57.000Z
//! 2026-01-31T23:59:58.000Z
//! 2026-01-31T23:59:59.000Z
//! 2026-02-01T00:00:00.000Z
//! 2026-02-01T00:00:01.000Z
//! ```
//!
//! Each deadline is computed from the start by the loop's clock, so the seconds do not drift,
//! however long the printing takes. With `-- 0.1` after the command a second lasts a tenth of a
//! second.

mod support;

use std::time::SystemTime;

use coro::time::sleep_until;
use coro::{LoopHandle, yield_from};
use humantime::format_rfc3339_millis;
use support::seconds;

#[coro::coroutine]
fn display_date(event_loop: &LoopHandle) {
    let start = event_loop.time();
    for passed in 1..=5 {
        println!("{}", format_rfc3339_millis(SystemTime::now()));
        yield_from!(sleep_until(start + passed * seconds(1.0)));
    }
}

#[coro::main]
fn main() {
    support::check_arguments();
    yield_from!(display_date(&LoopHandle::current()));
}
