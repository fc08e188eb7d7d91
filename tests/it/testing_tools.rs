//! The tools of `coro::testing` beside simulations: blocked tasks, time, streams in memory.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro::testing::{advance, duplex, explore, lockstep_pair, wait_all_tasks_blocked};
use futures::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// Counts to ten in ten turns, and then on once a second.
fn counting() -> (Rc<Cell<u32>>, coro::Task<()>) {
    let count = Rc::new(Cell::new(0));
    let task = coro::spawn({
        let count = count.clone();
        async move {
            for _ in 0..10 {
                count.set(count.get() + 1);
                coro::yield_now().await;
            }
            loop {
                coro::sleep(SECOND).await;
                count.set(count.get() + 1);
            }
        }
    });
    (count, task.cancel_on_drop())
}

#[coro::test]
async fn all_tasks_are_blocked_before_time_goes_on() {
    let (count, _task) = counting();
    let begun = coro::time::now();
    wait_all_tasks_blocked().await;
    assert_eq!((count.get(), coro::time::now()), (10, begun));
}

#[coro::test(real)]
async fn all_tasks_are_blocked_under_the_real_clock() {
    let (count, _task) = counting();
    wait_all_tasks_blocked().await;
    assert_eq!(count.get(), 10);
}

#[coro::test(sim)]
async fn all_tasks_are_blocked_in_a_simulation() {
    let (count, _task) = counting();
    let begun = coro::time::now();
    wait_all_tasks_blocked().await;
    assert_eq!((count.get(), coro::time::now()), (10, begun));
}

#[coro::test]
async fn several_that_wait_for_blocked_tasks_go_on_together_and_one_may_give_up() {
    let order = Rc::new(RefCell::new(Vec::new()));
    let wait = async |n| {
        wait_all_tasks_blocked().await;
        order.borrow_mut().push(n);
    };
    let given_up = coro::race((wait(0), async { coro::yield_now().await }));
    given_up.await;
    coro::gather((wait(1), wait(2))).await;
    assert_eq!(*order.borrow(), [1, 2]);
}

#[coro::test]
async fn time_advances_from_timer_to_timer() {
    let (count, _task) = counting();
    let begun = coro::time::now();
    advance(3 * SECOND).await;
    assert_eq!((count.get(), coro::time::now() - begun), (13, 3 * SECOND));
    advance(SECOND / 2).await;
    assert_eq!(count.get(), 13);
    advance(SECOND / 2).await;
    assert_eq!(count.get(), 14);
}

#[coro::test(real)]
#[should_panic(expected = "advance() under the real clock")]
async fn the_real_clock_is_not_advanced() {
    advance(SECOND).await;
}

#[coro::test]
async fn a_duplex_stream_holds_up_its_writer_and_ends_with_it() {
    let (mut here, mut there) = duplex(4);
    let written = Rc::new(Cell::new(0));
    let writer = coro::spawn({
        let written = written.clone();
        async move {
            for byte in 0..10 {
                here.write_all(&[byte]).await.unwrap();
                written.set(written.get() + 1);
            }
        }
    });
    wait_all_tasks_blocked().await;
    assert_eq!(written.get(), 4);
    let mut bytes = Vec::new();
    there.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.into_iter().eq(0..10));
    writer.await.unwrap();
    let refused = there.write(b"late").await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::BrokenPipe);
}

#[coro::test]
async fn a_duplex_stream_that_is_closed_still_reads() {
    let (mut here, mut there) = duplex(16);
    here.close().await.unwrap();
    assert_eq!(
        here.write(b"no").await.unwrap_err().kind(),
        std::io::ErrorKind::BrokenPipe
    );
    there.write_all(b"yes").await.unwrap();
    assert_eq!(there.read(&mut [0; 4]).await.unwrap(), 0);
    let mut text = [0; 3];
    here.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"yes");
}

#[coro::test]
async fn a_lockstep_stream_passes_only_the_bytes_that_are_waited_for() {
    let (mut here, mut there) = lockstep_pair();
    let written = Rc::new(Cell::new(0));
    let writer = coro::spawn({
        let written = written.clone();
        async move {
            let mut rest: &[u8] = b"in lockstep";
            while !rest.is_empty() {
                let len = here.write(rest).await.unwrap();
                written.set(written.get() + len);
                rest = &rest[len..];
            }
        }
    });
    wait_all_tasks_blocked().await;
    assert_eq!(written.get(), 0);
    let mut text = Vec::new();
    for step in 1..=3 {
        let mut buffer = [0; 3];
        let len = there.read(&mut buffer).await.unwrap();
        text.extend_from_slice(&buffer[..len]);
        wait_all_tasks_blocked().await;
        assert_eq!((len, written.get()), (3, 3 * step));
    }
    there.read_to_end(&mut text).await.unwrap();
    assert_eq!(text, b"in lockstep");
    writer.await.unwrap();
}

#[test]
fn two_that_write_before_they_read_are_found_out_by_a_lockstep_stream() {
    let failed = explore().try_run(async |_| {
        let (mut here, mut there) = lockstep_pair();
        let greet = async |stream: &mut coro::testing::DuplexStream| {
            stream.write_all(b"hello").await.unwrap();
            stream.read_exact(&mut [0; 5]).await.unwrap();
        };
        coro::gather((greet(&mut here), greet(&mut there))).await;
    });
    assert!(failed.unwrap_err().message().starts_with("deadlock: "));
}

#[test]
#[should_panic(expected = "duplex(0) could pass no byte")]
fn a_duplex_stream_needs_room() {
    let _ = duplex(0);
}
