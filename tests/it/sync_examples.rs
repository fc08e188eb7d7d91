//! The output of the example programs about locks or channels.

use crate::examples::{printed, promised};

#[test]
fn the_philosophers_of_dining_eat_though_they_share_forks() {
    assert_eq!(printed("dining", "0.05"), promised("dining"));
}

#[test]
fn bank_prints_what_it_promises() {
    assert_eq!(printed("bank", "0.1"), promised("bank"));
}

#[test]
fn pubsub_prints_what_it_promises() {
    assert_eq!(printed("pubsub", "0.05"), promised("pubsub"));
}
