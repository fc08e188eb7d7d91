//! Errors are values that `?` passes on; a panic ends one task, with a `JoinError` for its waiter.
//!
//! ```text
//! $ cargo run --example errors
//! sensor 0 says 20.5
//! sensor 1 says 21.5
//! the report: 21.0 degrees on average
//! sensor 0 says 20.5
//! sensor 9 is asked ...
//! handled at the top: no report, because sensor 9 does not answer
//! Task-1 panicked: index out of bounds: the len is 2 but the index is 7
//! the loop runs on: sensor 0 says 20.5
//! ```
//!
//! The answer of each sensor takes a quarter of a second, or less with a scale such as `-- 0.1`
//! after the command.

mod support;

use std::error::Error;
use std::fmt;
use std::panic;

use coro::{sleep, spawn, yield_from};
use support::seconds;

const READINGS: [f64; 2] = [20.5, 21.5];

#[derive(Debug)]
struct NoAnswer {
    sensor: usize,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sensor {} does not answer", self.sensor)
    }
}

impl Error for NoAnswer {}

/// Three coroutines down: raises the error.
#[coro::coroutine]
fn measure(sensor: usize) -> Result<f64, NoAnswer> {
    yield_from!(sleep(seconds(0.25)));
    match READINGS.get(sensor) {
        Some(reading) => {
            println!("sensor {sensor} says {reading}");
            Ok(*reading)
        }
        None => {
            println!("sensor {sensor} is asked ...");
            Err(NoAnswer { sensor })
        }
    }
}

/// Two down: `?` ends this coroutine too.
#[coro::coroutine]
fn average(sensors: &[usize]) -> Result<f64, NoAnswer> {
    let mut sum = 0.0;
    for sensor in sensors {
        sum += yield_from!(measure(*sensor))?;
    }
    Ok(sum / sensors.len() as f64)
}

/// One down: `?` also converts the error into this function's error type.
#[coro::coroutine]
fn report(sensors: &[usize]) -> Result<String, Box<dyn Error>> {
    let average = yield_from!(average(sensors))?;
    Ok(format!("{average:.1} degrees on average"))
}

/// Does not check the index.
#[coro::coroutine]
fn careless(index: usize) -> f64 {
    yield_from!(sleep(seconds(0.25)));
    READINGS[index]
}

#[coro::main]
fn main() -> Result<(), NoAnswer> {
    support::check_arguments();
    for sensors in [[0, 1], [0, 9]] {
        match yield_from!(report(&sensors)) {
            Ok(report) => println!("the report: {report}"),
            Err(error) => println!("handled at the top: no report, because {error}"),
        }
    }

    // Rust prints each panic where it happens. This panic is expected, and printed below.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = yield_from!(spawn(careless(7)));
    panic::set_hook(hook);

    match outcome {
        Ok(reading) => println!("the task says {reading}"),
        Err(error) if error.is_panic() => println!("{error}"),
        Err(error) => println!("the task has no value: {error}"),
    }
    print!("the loop runs on: ");
    yield_from!(measure(0))?;
    Ok(())
}
