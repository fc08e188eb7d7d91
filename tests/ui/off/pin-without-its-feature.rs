//! Cores that are pinned, in a crate that has coro with the features that are on by default.

fn main() {
    let _ = coro::cores::Builder::new().threads(2).pin(true);
}
