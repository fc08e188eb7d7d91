//! A running average, to which numbers are sent or errors thrown, as PEP 342 meant coroutines.
//!
//! ```text
//! $ cargo run --example averager
//! send 10: average 10.00
//! send 20: average 15.00
//! send 60: average 30.00
//! throw "forget all numbers": average 0.00
//! send 5: average 5.00
//! throw "not a number: five": failed, not a number: five
//! report for girls: 3 girls, average 42.04
//! report for boys: 3 boys, average 40.80
//! ```
//!
//! The first part drives one coroutine. It catches one of the errors thrown into it, and passes the
//! others on to its caller with `?`. The second part is a coroutine that delegates. Its caller's
//! numbers go straight to an averager, until `Next` ends that averager. The averager's return value
//! goes into the report.

use std::fmt;
use std::pin::pin;

use coro::CoroutineState::{Complete, Yielded};
use coro::{Coroutine, CoroutineState, yield_, yield_from};

/// The errors that can be thrown into the averager.
enum Interruption {
    /// Forget all numbers.
    Reset,
    /// There are no more numbers of this kind.
    Next,
    /// The caller could not read the next number.
    NotANumber(String),
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Interruption::Reset => f.write_str("forget all numbers"),
            Interruption::Next => f.write_str("no more numbers of this kind"),
            Interruption::NotANumber(text) => write!(f, "not a number: {text}"),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Average {
    sum: f64,
    len: u32,
}

impl Average {
    fn value(self) -> f64 {
        if self.len == 0 {
            0.0
        } else {
            self.sum / f64::from(self.len)
        }
    }
}

/// Yields the average of the numbers that it has been sent.
#[coro::coroutine(yields = f64, resumes = Result<f64, Interruption>)]
fn averager() -> Result<Average, Interruption> {
    let mut average = Average::default();
    loop {
        match yield_!(average.value()) {
            Ok(number) => {
                average.sum += number;
                average.len += 1;
            }
            Err(Interruption::Reset) => average = Average::default(),
            Err(Interruption::Next) => return Ok(average),
            Err(error) => return Err(error),
        }
    }
}

/// Delegates to an averager for each kind. The numbers reach it through `yield_from!`.
#[coro::coroutine(yields = f64, resumes = Result<f64, Interruption>)]
fn report(kinds: &[&str]) -> Result<Vec<String>, Interruption> {
    let mut lines = Vec::new();
    for kind in kinds {
        let average = yield_from!(averager())?;
        lines.push(format!(
            "{} {kind}, average {:.2}",
            average.len,
            average.value()
        ));
    }
    Ok(lines)
}

fn show(state: &CoroutineState<f64, Result<Average, Interruption>>) -> String {
    match state {
        Yielded(average) => format!("average {average:.2}"),
        Complete(Ok(average)) => format!("ended at {:.2}", average.value()),
        Complete(Err(error)) => format!("failed, {error}"),
    }
}

fn talk() {
    let mut averager = pin!(averager());
    _ = averager.as_mut().start();
    let number = |text: &str| {
        text.parse()
            .map_err(|_| Interruption::NotANumber(text.to_owned()))
    };
    let inputs = ["10", "20", "60"].into_iter().map(number);
    let inputs = inputs.chain([Err(Interruption::Reset), number("5"), number("five")]);
    for input in inputs {
        let what = match &input {
            Ok(number) => format!("send {number}"),
            Err(error) => format!("throw \"{error}\""),
        };
        let state = match input {
            Ok(number) => averager.as_mut().send(number),
            Err(error) => averager.as_mut().throw(error),
        };
        println!("{what}: {}", show(&state));
    }
}

fn main() {
    talk();

    let data = [("girls", [40.9, 38.5, 46.72]), ("boys", [39.0, 40.8, 42.6])];
    let kinds = data.map(|(kind, _)| kind);
    let mut report = pin!(report(&kinds));
    let mut state = report.as_mut().start();
    for (_, numbers) in data {
        for number in numbers {
            _ = report.as_mut().send(number);
        }
        state = report.as_mut().throw(Interruption::Next);
    }
    match state {
        Complete(Ok(lines)) => {
            for (kind, line) in kinds.iter().zip(lines) {
                println!("report for {kind}: {line}");
            }
        }
        _ => unreachable!("the report ends when its last kind has ended"),
    }
}
