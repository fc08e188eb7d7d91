//! The suites, one file each; a new suite is its file with its two lines below.

use crate::harness::Suite;

mod chain;
mod compile;
mod cores;
mod delegate;
mod generator;
mod group;
mod http;
mod memory;
mod net;
mod process;
mod spawn;
mod switch;
mod sync;
mod threads;
mod timer;
mod wake;
mod weight;

/// All suites, in the order in which they are run.
const SUITES: &[fn() -> Suite] = &[
    chain::suite,
    compile::suite,
    weight::suite,
    spawn::suite,
    switch::suite,
    sync::suite,
    group::suite,
    wake::suite,
    timer::suite,
    memory::suite,
    threads::suite,
    threads::spread,
    net::suite,
    http::suite,
    cores::suite,
    generator::suite,
    delegate::suite,
    process::suite,
];

pub(crate) fn all() -> impl Iterator<Item = Suite> {
    SUITES.iter().map(|suite| suite())
}

/// The names of all suites, for messages.
pub(crate) fn names() -> String {
    let names: Vec<&str> = all().map(|suite| suite.name).collect();
    names.join(", ")
}
