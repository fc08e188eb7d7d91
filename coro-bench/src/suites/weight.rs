//! The weight of coro as a dependency: clean builds of a small program.

use std::time::Instant;

use crate::harness::{Bound, Case, Reading, Role, Sample, Suite};
use crate::machine::user_seconds;
use crate::package::{Build, Package};

const FULL: &str = "tokio, full";
const SMALL: &str = "tokio, rt macros time sync";

const CRATES: &str = "crates";
const USER: &str = "user CPU";
const WALL: &str = "wall time";
const SIZE: &str = "target folder";

const BY_CORO: &str = "#[coro::main]
async fn main() {
    coro::sleep(std::time::Duration::from_millis(1)).await;
}
";

const BY_TOKIO: &str = "#[tokio::main(flavor = \"current_thread\")]
async fn main() {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
}
";

const BY_SMOL: &str = "fn main() {
    smol::block_on(async {
        smol::Timer::after(std::time::Duration::from_millis(1)).await;
    });
}
";

const GENERATOR: &str = "#[coro::coroutine(yields = u32)]
fn up() {
    coro::yield_!(1);
}

fn main() {
    for number in up() {
        println!(\"{number}\");
    }
}
";

pub(crate) fn suite() -> Suite {
    [Build::Debug, Build::Release].into_iter().fold(
        Suite::new("weight", "clean builds of a program that depends on it")
            .unpinned()
            .rounds(2, 1)
            .minutes_max(15),
        |suite, build| {
            suite
                .case(all_features(build))
                .case(loop_alone(build))
                .case(generators_alone(build))
        },
    )
}

fn all_features(build: Build) -> Case {
    let name = match build {
        Build::Debug => "default features, debug",
        Build::Release => "default features, release",
    };
    Case::new(name, FULL)
        .subject(FULL, Role::Floor, move |_| tokio("full", build))
        .subject("smol", Role::Peer, move |_| {
            clean_build("smol = \"2\"", BY_SMOL, build)
        })
        .subject("coro", Role::Coro, move |_| {
            clean_build(&Package::needs_coro(), BY_CORO, build)
        })
        .goal_for(CRATES, Bound::AtMost(30.0))
        .goal_for(USER, Bound::Times(1.0, FULL))
        .goal_for(WALL, Bound::Times(1.0, FULL))
        .goal_for(SIZE, Bound::Times(1.0, FULL))
}

fn loop_alone(build: Build) -> Case {
    let name = match build {
        Build::Debug => "the loop without sockets or processes, debug",
        Build::Release => "the loop without sockets or processes, release",
    };
    beside_small_tokio(name, "std", BY_CORO, build).goal_for(USER, Bound::Times(1.1, SMALL))
}

fn generators_alone(build: Build) -> Case {
    let name = match build {
        Build::Debug => "generators alone, debug",
        Build::Release => "generators alone, release",
    };
    beside_small_tokio(name, "alloc", GENERATOR, build).goal_for(USER, Bound::Times(0.5, SMALL))
}

/// A program that needs one feature of coro.
fn beside_small_tokio(
    name: &'static str,
    feature: &'static str,
    program: &'static str,
    build: Build,
) -> Case {
    Case::new(name, SMALL)
        .subject(SMALL, Role::Floor, move |_| {
            tokio("rt macros time sync", build)
        })
        .subject("coro", Role::Coro, move |_| {
            clean_build(&Package::needs_coro_with(feature), program, build)
        })
}

fn tokio(features: &str, build: Build) -> Sample {
    let features: Vec<&str> = features.split(' ').collect();
    let needs = format!("tokio = {{ version = \"1\", features = {features:?} }}");
    clean_build(&needs, BY_TOKIO, build)
}

/// Builds a program with all its dependencies, once.
fn clean_build(needs: &str, program: &str, build: Build) -> Sample {
    let package = Package::new("program", needs)?;
    package.write("src/main.rs", program)?;
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
    let user = user_seconds(|| package.build(build))?;
    let wall = begin.elapsed().as_secs_f64();
    Ok(vec![
        Reading::one(CRATES, "crates", crates.len() as f64),
        Reading::one(USER, "s", user),
        Reading::one(WALL, "s", wall),
        Reading::one(SIZE, "MB", package.target_megabytes()?),
    ])
}
