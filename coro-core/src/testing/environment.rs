//! The environment variables that steer simulations: `CORO_SEED`, `CORO_REPLAY`, `CORO_SEEDS`,
//! `CORO_SIMULATE`.

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

/// The wish that tests of real loops run in simulations instead: `CORO_SIMULATE`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SimulateAll {
    pub(super) seeds: u64,
    /// The rate of all faults that a sound program does not notice, in millionths.
    pub(super) faults: u32,
}

impl SimulateAll {
    /// # Panics
    ///
    /// If the variable has a value of another kind.
    pub(super) fn read() -> Option<Self> {
        let text = value("CORO_SIMULATE")?;
        let (seeds, faults) = text.split_once(':').unwrap_or((&text, "0"));
        let (Some(seeds), Ok(faults)) = (parse(seeds), faults.parse()) else {
            panic!(
                "CORO_SIMULATE is {text:?}: it must be a number of seeds, such as 20, or that and the \
                 rate of faults in millionths, such as 20:100000"
            );
        };
        Some(SimulateAll { seeds, faults })
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
