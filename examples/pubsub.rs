//! A newspaper whose editions go to all subscribers, without waiting for slow ones.
//!
//! ```text
//! $ cargo run --example pubsub
//! fast   reads edition 1
//! slow   reads edition 1
//! fast   reads edition 2
//! fast   reads edition 3
//! slow   reads edition 2
//! fast   reads edition 4
//! fast   reads edition 5
//! fast   reads edition 6
//! late   subscribes
//! late   reads edition 7
//! slow   has missed 2 editions
//! slow   reads edition 5
//! fast   reads edition 7
//! late   reads edition 8
//! fast   reads edition 8
//! late   reads edition 9
//! fast   reads edition 9
//! late   has read 3, missed 0
//! fast   has read 9, missed 0
//! slow   has missed 1 edition
//! slow   reads edition 7
//! slow   reads edition 8
//! slow   reads edition 9
//! slow   has read 6, missed 3
//! ```
//!
//! The channel keeps three editions. The slow reader takes as long for each as three editions take
//! to be printed. With `-- 0.1` after the command the editions come ten times as fast.

mod support;

use coro::sync::broadcast::{self, RecvError};
use coro::sync::watch;
use coro::{sleep, spawn, yield_from};
use support::seconds;

const EDITIONS: u32 = 9;
const KEPT: usize = 3;

/// Reads until the newspaper closes. Reading an edition lasts until `pace` more editions have been
/// printed.
#[coro::coroutine]
fn subscriber(
    name: &'static str,
    mut news: broadcast::Receiver<u32>,
    mut printed: watch::Receiver<u32>,
    pace: u32,
) {
    let (mut read, mut missed) = (0, 0);
    loop {
        match yield_from!(news.recv()) {
            Ok(edition) => {
                println!("{name:6} reads edition {edition}");
                read += 1;
            }
            Err(RecvError::Lagged(n)) => {
                let editions = if n == 1 { "edition" } else { "editions" };
                println!("{name:6} has missed {n} {editions}");
                missed += n;
                continue;
            }
            Err(RecvError::Closed) => break,
        }
        let until = *printed.borrow() + pace;
        // If the newspaper closes meanwhile, the error is ignored: the reader then reads on without
        // a pause.
        let _ = yield_from!(printed.wait_for(|printed| *printed >= until)).is_ok();
    }
    println!("{name:6} has read {read}, missed {missed}");
}

#[coro::main]
fn main() {
    support::check_arguments();
    let (press, news) = broadcast::channel(KEPT);
    let (print, printed) = watch::channel(0);
    let mut readers = vec![
        spawn(subscriber("fast", news, printed.clone(), 0)),
        spawn(subscriber("slow", press.subscribe(), printed.clone(), 3)),
    ];
    for edition in 1..=EDITIONS {
        if edition == 7 {
            println!("late   subscribes");
            let late = subscriber("late", press.subscribe(), printed.clone(), 0);
            readers.push(spawn(late));
        }
        print.send_replace(edition);
        press.send(edition).expect("there are subscribers");
        yield_from!(sleep(seconds(0.2)));
    }
    drop((press, print));
    for reader in readers {
        yield_from!(reader).expect("readers do not fail");
    }
}
