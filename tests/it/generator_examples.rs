//! The output of the example programs about generators.

use crate::examples::{printed, promised};

#[test]
fn primes_prints_what_it_promises() {
    assert_eq!(printed("primes", "1"), promised("primes"));
}

#[test]
fn averager_prints_what_it_promises() {
    assert_eq!(printed("averager", "1"), promised("averager"));
}

#[test]
fn ticker_prints_what_it_promises() {
    assert_eq!(printed("ticker", "1"), promised("ticker"));
}

#[test]
fn the_parser_gives_the_same_answers_however_it_is_driven() {
    assert_eq!(printed("sans_io_http", "1"), promised("sans_io_http"));
}

#[test]
fn the_lexer_reads_the_same_texts_as_serde_json() {
    assert_eq!(printed("lexer", "1"), promised("lexer"));
}

#[test]
fn a_walk_of_a_million_nodes_is_in_order_in_a_tree_of_any_depth() {
    assert_eq!(printed("tree_walk", "1"), promised("tree_walk"));
}
