//! `OnLoop`: a value of a loop's thread that other threads may own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use coro::compat::OnLoop;
use coro::event_loop::ReportKind;
use coro::group::CoroExt;
use coro::net::{TcpListener, TcpStream};
use coro::{EventLoop, LoopHandle, sleep, spawn, yield_now};
use futures::{AsyncReadExt, AsyncWriteExt, Stream, StreamExt, stream};

use crate::support::{Drops, Reports, ms};

fn sent<T: Send + Sync>(value: T) -> T {
    value
}

/// Gives a value to another thread, which does something with it.
fn elsewhere<T: Send + 'static, R: Send + 'static>(
    value: T,
    f: impl FnOnce(T) -> R + Send + 'static,
) -> R {
    thread::spawn(move || f(value)).join().unwrap()
}

fn panic_text(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    payload.downcast_ref::<String>().unwrap().clone()
}

#[coro::test]
async fn a_future_a_stream_and_a_value_are_used_through_it() {
    let seven = sent(OnLoop::new(Rc::new(7)));
    sent(sleep(ms(5)).on_loop()).await;
    assert_eq!(sent(async { 1 }.on_loop()).await, 1);
    let mut counted = sent(OnLoop::new(stream::iter([Rc::new(1), Rc::new(2)])));
    assert_eq!(counted.next().await, Some(Rc::new(1)));
    assert_eq!(counted.size_hint(), (1, Some(1)));
    let mut clone = seven.clone();
    *clone = Rc::new(8);
    assert_eq!((**seven, *clone.into_inner()), (7, 8));
}

#[coro::test(real)]
async fn a_connection_is_read_and_written_through_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let echo = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = sent(OnLoop::new(stream)).split();
        futures::io::copy(read, &mut write).await.unwrap();
        write.close().await.unwrap();
    });
    let mut stream = sent(OnLoop::new(TcpStream::connect(address).await.unwrap()));
    assert_eq!(stream.peer_addr().unwrap(), address);
    stream.write_all(b"hello").await.unwrap();
    stream.close().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "hello");
    echo.await.unwrap();
}

#[coro::test]
async fn another_thread_that_uses_the_value_panics_and_the_value_lives_on() {
    let value = OnLoop::new(Rc::new(5));
    let (text, value) = elsewhere(value, |value| {
        assert!(!value.is_here());
        assert_eq!(format!("{value:?}"), "OnLoop(a value of another thread)");
        (panic_text(|| drop((**value).to_string())), value)
    });
    assert!(
        text.contains("another thread than that of its event loop"),
        "{text}"
    );
    assert!(text.contains("Rc<i32>"), "{text}");
    assert_eq!(**value, 5);
}

#[coro::test(real)]
async fn dropped_on_another_thread_it_is_dropped_at_home() {
    let drops = Drops::default();
    let value = OnLoop::new((Rc::new(()), drops.counted()));
    let future = {
        let counted = drops.counted();
        async move { drop(counted) }.on_loop()
    };
    let refused = OnLoop::new(drops.counted());
    elsewhere((value, future), drop);
    elsewhere(refused, |value| {
        panic_text(|| drop(value.into_inner()));
    });
    while drops.count() < 3 {
        yield_now().await;
    }
    assert!(drops.all_on_this_thread());
}

#[test]
fn the_loop_that_is_gone_gets_nothing_and_the_value_is_leaked() {
    let drops = Drops::default();
    let mut event_loop = EventLoop::new().unwrap();
    let value = event_loop.run_until_complete(async { OnLoop::new(drops.counted()) });
    let at_home = event_loop.run_until_complete(async { OnLoop::new(drops.counted()) });
    drop(event_loop);
    elsewhere(value.unwrap(), drop);
    assert_eq!(drops.count(), 0);
    drop(at_home);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_value_on_its_way_is_dropped_when_the_loop_closes() {
    let drops = Drops::default();
    let mut event_loop = EventLoop::new().unwrap();
    let value = event_loop.run_until_complete(async { OnLoop::new(drops.counted()) });
    elsewhere(value.unwrap(), drop);
    event_loop.close();
    assert_eq!(drops.count(), 1);
    assert!(drops.all_on_this_thread());
}

#[test]
fn a_value_that_borrows_is_leaked_elsewhere_and_that_is_reported() {
    let mut event_loop = EventLoop::new().unwrap();
    let reports = Reports::of(&event_loop.handle());
    let drops = Drops::default();
    let borrowed = String::from("text");
    event_loop
        .run_until_complete(async {
            let value = OnLoop::borrowing((borrowed.as_str(), drops.counted()));
            thread::scope(|threads| {
                threads.spawn(move || drop(value)).join().unwrap();
            });
            sleep(ms(1)).await;
        })
        .unwrap();
    assert_eq!(drops.count(), 0);
    let kinds: Vec<ReportKind> = reports.take().iter().map(|report| report.kind).collect();
    assert_eq!(kinds, [ReportKind::ValueLeaked]);
}

#[coro::test]
async fn a_virtual_clock_jumps_while_a_value_is_wrapped() {
    let _value = OnLoop::new(Rc::new(()));
    let begun = std::time::Instant::now();
    let virtually = LoopHandle::current().time();
    sleep(Duration::from_secs(3600)).on_loop().await;
    assert!(LoopHandle::current().time() - virtually >= Duration::from_secs(3600));
    assert!(begun.elapsed() < Duration::from_secs(600));
}

#[test]
fn outside_of_a_loop_nothing_is_wrapped() {
    let text = panic_text(|| drop(OnLoop::new(1)));
    assert!(text.contains("no event loop is running"), "{text}");
}
