//! The one optional argument of all examples: a scale for their delays.

use std::env;
use std::process;
use std::sync::LazyLock;
use std::time::Duration;

static SCALE: LazyLock<f64> = LazyLock::new(|| {
    parse(env::args().skip(1)).unwrap_or_else(|problem| {
        eprintln!("error: {problem}");
        eprintln!("usage: cargo run --example NAME [-- SCALE], where 0.5 halves all delays");
        process::exit(2)
    })
});

/// Ends the process with exit code 2 and an explanation if its arguments make no sense.
pub(crate) fn check_arguments() {
    LazyLock::force(&SCALE);
}

/// A duration of this number of seconds, multiplied by the scale.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds * *SCALE).unwrap_or(Duration::MAX)
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<f64, String> {
    let Some(text) = arguments.next() else {
        return Ok(1.0);
    };
    if let Some(extra) = arguments.next() {
        return Err(format!(
            "the scale is the only argument, {extra:?} is one too many"
        ));
    }
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 0.0 => Ok(scale),
        _ => Err(format!(
            "the scale is a number that is not negative, such as 0.01, and not {text:?}"
        )),
    }
}
