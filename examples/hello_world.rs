//! One coroutine, on an event loop that the program makes itself.
//!
//! ```text
//! $ cargo run --example hello_world
//! Hello ...
//! ... World!
//! ```
//!
//! The second line comes a second after the first. `cargo run --example hello_world -- 0.1` makes
//! that a tenth of a second; every example takes such a scale.

mod support;

use std::error::Error;

use coro::{EventLoop, sleep, yield_from};
use support::seconds;

#[coro::coroutine]
fn hello_world() {
    println!("Hello ...");
    yield_from!(sleep(seconds(1.0)));
    println!("... World!");
}

fn main() -> Result<(), Box<dyn Error>> {
    support::check_arguments();
    let mut event_loop = EventLoop::new()?;
    // Blocks until the coroutine is done.
    event_loop.run_until_complete(hello_world())?;
    event_loop.close();
    Ok(())
}
