//! Plain functions that the loop calls later, without any coroutine.
//!
//! ```text
//! $ cargo run --example callouts
//! registered five calls, and cancelled the one after 2 seconds
//! now: as soon as possible, first come
//! now: as soon as possible, first served
//! after 1 second
//! after 3 seconds, and the last: the loop is stopped
//! the call after 2 seconds was cancelled: true
//! ```
//!
//! It takes three seconds, or less with a scale such as `-- 0.1` after the command.

mod support;

use std::io;

use coro::EventLoop;
use support::seconds;

fn main() -> io::Result<()> {
    support::check_arguments();
    let mut event_loop = EventLoop::new()?;
    let handle = event_loop.handle();

    // The order in which calls are registered is not the order in which they are due.
    let stopper = handle.clone();
    handle.call_later(seconds(3.0), move || {
        println!("after 3 seconds, and the last: the loop is stopped");
        stopper.stop();
    });
    let unwanted = handle.call_later(seconds(2.0), || println!("after 2 seconds"));
    handle.call_at(handle.time() + seconds(1.0), || println!("after 1 second"));
    handle.call_soon(|| println!("now: as soon as possible, first come"));
    handle.call_soon(|| println!("now: as soon as possible, first served"));
    unwanted.cancel();
    println!("registered five calls, and cancelled the one after 2 seconds");

    event_loop.run_forever();
    event_loop.close();
    let cancelled = unwanted.is_cancelled();
    println!("the call after 2 seconds was cancelled: {cancelled}");
    Ok(())
}
