//! Costs of the attribute at compile time.
//!
//! The samples write small packages into the folder for temporary files. Cargo builds them.

use std::fmt::Write;

use crate::harness::{Bound, Case, Reading, Role, Sample, Suite};
use crate::machine::user_seconds;
use crate::package::Package;

/// How many functions the generated crates have.
const FUNCTIONS: u64 = 1_000;

const PLAIN: &str = "async fn";
const CHECK: &str = "cargo check, user CPU";
const EXPANSION: &str = "parsing and expanding a function, user CPU";

pub(crate) fn suite() -> Suite {
    Suite::new("compile", "what the attribute costs at compile time")
        .unpinned()
        .rounds(5, 1)
        .minutes_max(15)
        .case(
            Case::new(
                "1,000 functions of 11 lines, three yield points each",
                PLAIN,
            )
            .subject(PLAIN, Role::Floor, |_| {
                many_functions("async ", "", |call| format!("{call}.await"))
            })
            .subject("#[coro::coroutine]", Role::Coro, |_| {
                many_functions("", "#[coro::coroutine]\n", |call| {
                    format!("yield_from!({call})")
                })
            })
            .goal_for(CHECK, Bound::Times(1.3, PLAIN))
            .goal_for(EXPANSION, Bound::AtMost(0.25)),
        )
}

/// Checks a crate of many functions, whose dependencies are already built.
fn many_functions(keyword: &str, attribute: &str, wait: impl Fn(&str) -> String) -> Sample {
    let package = Package::new("thousand", &Package::needs_coro())?;
    let source = functions(keyword, attribute, wait);
    package.write("src/lib.rs", &source)?;
    // Builds the dependencies; if that fails, its error is the sample's.
    package.cargo(&["check"])?;
    let mut checks = Vec::new();
    let mut expansions = Vec::new();
    for _ in 0..2 {
        package.write("src/lib.rs", &source)?;
        checks.push(user_seconds(|| package.cargo(&["check"]).map(drop))?);
        let all = user_seconds(|| package.expand())?;
        package.write("src/lib.rs", "")?;
        let nothing = user_seconds(|| package.expand())?;
        expansions.push((all - nothing) * 1e3 / FUNCTIONS as f64);
    }
    Ok(vec![
        Reading::new(CHECK, "s", checks),
        Reading::new(EXPANSION, "ms", expansions),
    ])
}

fn functions(keyword: &str, attribute: &str, wait: impl Fn(&str) -> String) -> String {
    let mut source = String::from("#[allow(unused_imports)]\nuse coro::yield_from;\n\n");
    source += "pub async fn leaf(number: u64) -> u64 {\n    number\n}\n";
    let (first, second, third) = (wait("leaf(a)"), wait("leaf(sum)"), wait("leaf(b ^ scaled)"));
    for number in 0..FUNCTIONS {
        let _ = write!(
            source,
            "
{attribute}pub {keyword}fn f{number}(a: u64, b: u64) -> u64 {{
    let mut sum = a ^ {number};
    let first = {first};
    let scaled = first.wrapping_mul(3);
    sum = sum.wrapping_add(scaled);
    if sum > b {{
        sum = sum.wrapping_sub({second});
    }}
    let last = {third};
    sum.wrapping_add(last)
}}
"
        );
    }
    source
}
