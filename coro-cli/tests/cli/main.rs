//! The program `coro` on real processes.
#![cfg(target_os = "linux")]

mod child;
mod ps;
mod pstree;

/// Not a test, but the program that the tests look at.
#[test]
#[ignore = "the tests start it as another process"]
fn the_child() {
    child::play();
}
