//! The output of the example programs about awaiting many futures at once.

use crate::examples::{printed, promised};

#[test]
fn the_crawler_fetches_every_page_within_its_limits() {
    let printed = printed("crawler", "0.1");
    let (progress, rest): (Vec<_>, Vec<_>) = printed
        .into_iter()
        .partition(|line| line.ends_with("waiting"));
    assert_eq!(progress.len(), 6);
    let promised = promised("crawler");
    let promised = promised
        .into_iter()
        .filter(|line| !line.ends_with("waiting"));
    assert_eq!(rest, promised.collect::<Vec<_>>());
}

#[test]
fn resilient_prints_what_it_promises() {
    assert_eq!(printed("resilient", "1"), promised("resilient"));
}
