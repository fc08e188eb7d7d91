//! The environment variables that steer simulations: `CORO_SEED`, `CORO_REPLAY`, `CORO_SEEDS`.

use std::env::{VarError, var};

use crate::choices::{NotAScript, Script};

/// The wishes of the person who runs the tests.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Runs this seed only.
    pub(super) seed: Option<u64>,
    /// Runs these decisions only.
    pub(super) replay: Option<Script>,
    /// Runs this number of seeds, in tests that run seeds.
    pub(super) seeds: Option<u64>,
}

impl Environment {
    /// # Panics
    ///
    /// If a variable has a value of another kind.
    pub(super) fn read() -> Self {
        let replay = value("CORO_REPLAY").map(|text| {
            text.parse().unwrap_or_else(|NotAScript(part)| {
                panic!("CORO_REPLAY has the part {part:?}, which is no decision such as O1f.2=3")
            })
        });
        Environment {
            seed: number("CORO_SEED"),
            replay,
            seeds: number("CORO_SEEDS"),
        }
    }
}

fn value(name: &str) -> Option<String> {
    match var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => panic!("{name} is no text"),
    }
}

fn number(name: &str) -> Option<u64> {
    let text = value(name)?;
    let parsed = parse(&text);
    Some(
        parsed
            .unwrap_or_else(|| panic!("{name} is {text:?}: it must be a number, such as 8 or 0x8")),
    )
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_seed_is_decimal_or_hexadecimal() {
        assert_eq!((parse("17"), parse("0x1F")), (Some(17), Some(31)));
        assert_eq!((parse(""), parse("-1"), parse("0xg")), (None, None, None));
    }
}
