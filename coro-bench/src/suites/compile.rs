//! Costs at compile time: of the attribute, of the crate as a dependency.
//!
//! The samples write small packages into the folder for temporary files. Cargo builds them.

use std::fmt::Write;
use std::time::Instant;

use crate::harness::{Bound, Case, Reading, Role, Sample, Suite};
use crate::machine::children_user_time;
use crate::package::Package;

/// How many functions the generated crates have.
const FUNCTIONS: u64 = 1_000;

const PLAIN: &str = "async fn";
const CHECK: &str = "cargo check, user CPU";
const EXPANSION: &str = "parsing and expanding a function, user CPU";

const TOKIO: &str = "tokio, feature full";
const CRATES: &str = "crates in the tree";
const WALL: &str = "wall time";

pub(crate) fn suite() -> Suite {
    Suite::new("compile", "what coro costs at compile time")
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
            .goal_for(EXPANSION, Bound::AtMost(0.3)),
        )
        .case(
            Case::new(
                "a clean release build of a program that depends on it",
                TOKIO,
            )
            .subject(TOKIO, Role::Floor, |_| {
                let needs = r#"tokio = { version = "1", features = ["full"] }"#;
                let main = "tokio::runtime::Runtime::new().unwrap().block_on(async {});";
                clean_build(needs, main)
            })
            .subject("coro, default features", Role::Coro, |_| {
                clean_build(&Package::needs_coro(), "coro::run(async {});")
            })
            .goal_for(CRATES, Bound::AtMost(30.0))
            .goal_for(WALL, Bound::Times(1.0, TOKIO)),
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

/// The user CPU time of the processes that the body runs.
fn user_seconds(body: impl FnOnce() -> Result<(), String>) -> Result<f64, String> {
    let time = || children_user_time().ok_or("/proc/self/stat says nothing");
    let before = time()?;
    body()?;
    Ok((time()? - before).as_secs_f64())
}

/// Builds a program with all its dependencies, once.
fn clean_build(needs: &str, main: &str) -> Sample {
    let package = Package::new("program", needs)?;
    package.write("src/main.rs", &format!("fn main() {{\n    {main}\n}}\n"))?;
    package.cargo(&["fetch"])?;
    let tree = package.cargo(&[
        "tree",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--no-dedupe",
    ])?;
    let mut crates: Vec<&str> = tree.lines().skip(1).collect();
    crates.sort_unstable();
    crates.dedup();
    let begin = Instant::now();
    let user = user_seconds(|| package.cargo(&["build", "--release"]).map(drop))?;
    let wall = begin.elapsed().as_secs_f64();
    Ok(vec![
        Reading::one(CRATES, "crates", crates.len() as f64),
        Reading::one(WALL, "s", wall),
        Reading::one("user CPU", "s", user),
    ])
}
