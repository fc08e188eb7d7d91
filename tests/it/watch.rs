//! Callbacks at descriptors, or descriptors of the user's own in `AsyncFd`.
#![cfg(unix)]

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use coro::event_loop::{FdWatch, ReportKind};
use coro::net::{AsyncFd, Interest};
use coro::{EventLoop, LoopHandle, sleep, spawn, timeout};

use crate::support::{Drops, Reports, ms, turns};

fn pair() -> (Rc<UnixStream>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (Rc::new(ours), theirs)
}

/// Reads one byte, if one is available.
fn read_byte(mut from: &UnixStream) -> Option<u8> {
    let mut byte = [0];
    match from.read(&mut byte) {
        Ok(1) => Some(byte[0]),
        _ => None,
    }
}

async fn until(condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            sleep(ms(1)).await;
        }
    };
    timeout(Duration::from_secs(10), reached).await.unwrap();
}

// ---- callbacks ----

#[coro::test(real)]
async fn a_callback_that_leaves_something_to_read_is_called_again() {
    let (ours, mut theirs) = pair();
    let read = Rc::new(RefCell::new(Vec::new()));
    let _watch = LoopHandle::current()
        .add_reader(ours.clone(), {
            let read = read.clone();
            move || read.borrow_mut().extend(read_byte(&ours))
        })
        .unwrap();
    theirs.write_all(b"abc").unwrap();
    until(|| read.borrow().len() == 3).await;
    theirs.write_all(b"d").unwrap();
    until(|| *read.borrow() == b"abcd").await;
}

#[coro::test(real)]
async fn a_callback_is_called_only_while_its_descriptor_is_ready() {
    let (ours, mut theirs) = pair();
    let calls = Rc::new(Cell::new(0));
    let _watch = LoopHandle::current()
        .add_reader(ours.clone(), {
            let (ours, calls) = (ours.clone(), calls.clone());
            move || {
                calls.set(calls.get() + 1);
                read_byte(&ours);
            }
        })
        .unwrap();
    sleep(ms(5)).await;
    assert_eq!(calls.get(), 0);
    theirs.write_all(b"a").unwrap();
    until(|| calls.get() > 0).await;
    sleep(ms(5)).await;
    assert_eq!(calls.get(), 1);
    drop(theirs);
    until(|| calls.get() > 10).await; // the end stays ready, as for asyncio
}

#[coro::test(real)]
async fn both_directions_of_a_descriptor_have_a_callback_each() {
    let (ours, mut theirs) = pair();
    let (reads, writes) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let reader = LoopHandle::current()
        .add_reader(ours.clone(), {
            let (ours, reads) = (ours.clone(), reads.clone());
            move || reads.set(reads.get() + usize::from(read_byte(&ours).is_some()))
        })
        .unwrap();
    let writer = LoopHandle::current()
        .add_writer(ours.clone(), {
            let writes = writes.clone();
            move || writes.set(writes.get() + 1)
        })
        .unwrap();
    until(|| writes.get() > 5).await;
    theirs.write_all(b"a").unwrap();
    until(|| reads.get() == 1).await;
    drop(writer);
    let written = writes.get();
    theirs.write_all(b"b").unwrap();
    until(|| reads.get() == 2).await;
    assert_eq!(writes.get(), written);
    drop(reader);
    theirs.write_all(b"c").unwrap();
    sleep(ms(5)).await;
    assert_eq!(reads.get(), 2);
}

#[coro::test(real)]
async fn another_callback_takes_the_place_of_the_first() {
    let (ours, mut theirs) = pair();
    let drops = Drops::default();
    let counted = drops.counted();
    let called = Rc::new(Cell::new(0));
    let add = |n, owned: Option<_>| {
        let (ours, called) = (ours.clone(), called.clone());
        LoopHandle::current()
            .add_reader(ours.clone(), move || {
                let _owned = &owned;
                read_byte(&ours);
                called.set(n);
            })
            .unwrap()
    };
    let first = add(1, Some(counted));
    let _second = add(2, None);
    assert_eq!(drops.count(), 1, "the closure before is dropped at once");
    drop(first); // removes nothing, since it was replaced
    theirs.write_all(b"a").unwrap();
    until(|| called.get() != 0).await;
    assert_eq!(called.get(), 2);
}

#[coro::test(real)]
async fn a_callback_may_remove_itself_and_may_panic() {
    let reports = Reports::here();
    let (ours, mut theirs) = pair();
    let watch: Rc<RefCell<Option<FdWatch<_>>>> = Rc::default();
    let calls = Rc::new(Cell::new(0));
    let added = LoopHandle::current().add_reader(ours, {
        let (watch, calls) = (watch.clone(), calls.clone());
        move || {
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                panic!("the first call");
            }
            let own = watch.borrow_mut().take();
            drop(own);
        }
    });
    *watch.borrow_mut() = Some(added.unwrap());
    theirs.write_all(b"a").unwrap();
    until(|| watch.borrow().is_none()).await;
    turns(5).await;
    assert_eq!(calls.get(), 2);
    reports.assert_taken([(ReportKind::CalloutPanicked, "the first call")]);
}

#[coro::test(real)]
async fn a_descriptor_can_be_watched_again_once_its_guard_is_gone() {
    let (ours, mut theirs) = pair();
    theirs.write_all(b"a").unwrap();
    for _ in 0..3 {
        let called = Rc::new(Cell::new(false));
        let watch = LoopHandle::current().add_reader(&*ours, {
            let called = called.clone();
            move || called.set(true)
        });
        until(|| called.get()).await;
        assert!(format!("{watch:?}").contains("Read"));
    }
    let own = AsyncFd::new(&*ours).unwrap();
    own.readable().await.unwrap();
}

#[coro::test(real)]
async fn a_callback_is_called_at_most_once_a_turn() {
    let (ours, _theirs) = pair();
    let calls = Rc::new(Cell::new(0));
    let _watch = LoopHandle::current()
        .add_writer(ours, {
            let calls = calls.clone();
            move || calls.set(calls.get() + 1)
        })
        .unwrap();
    while calls.get() < 20 {
        let before = calls.get();
        turns(1).await;
        assert!(calls.get() <= before + 1);
    }
}

#[coro::test(real)]
async fn cancelling_the_task_that_calls_a_callback_removes_it() {
    let (ours, mut theirs) = pair();
    let drops = Drops::default();
    let counted = drops.counted();
    let called = Rc::new(Cell::new(false));
    let add = |owned: Option<_>| {
        let called = called.clone();
        LoopHandle::current().add_reader(ours.clone(), move || {
            let _owned = &owned;
            called.set(true);
        })
    };
    let first = add(Some(counted)).unwrap();
    turns(2).await;
    for task in LoopHandle::current().all_tasks() {
        task.cancel();
    }
    turns(2).await;
    assert_eq!(drops.count(), 1);
    theirs.write_all(b"a").unwrap();
    sleep(ms(5)).await;
    assert!(!called.get());
    let _second = add(None).unwrap();
    drop(first); // removes nothing, since it was replaced
    until(|| called.get()).await;
}

#[test]
fn closing_the_loop_drops_the_callbacks_though_their_guards_live() {
    let mut event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let (ours, _theirs) = pair();
    let drops = Drops::default();
    let (counted, of_loop) = (drops.counted(), handle.clone());
    let watch = handle.add_writer(ours.clone(), move || {
        let _kept = (&counted, &of_loop);
    });
    let watch = watch.unwrap();
    event_loop.run_until_complete(turns(3)).unwrap();
    event_loop.close();
    assert_eq!(drops.count(), 1);
    drop(event_loop);
    drop(watch);
    assert_eq!(Rc::strong_count(&ours), 1);
}

// ---- descriptors that cannot be waited for ----

#[coro::test(real)]
async fn a_regular_file_is_refused_with_a_word_on_what_to_do() {
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let error = AsyncFd::new(&file).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("regular file"), "{error}");
    let error = LoopHandle::current().add_reader(&file, || ()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}

#[coro::test(real)]
async fn a_descriptor_registered_twice_is_refused_and_its_duplicate_is_not() {
    let (ours, mut theirs) = pair();
    let first = AsyncFd::new(ours.clone()).unwrap();
    let error = AsyncFd::new(ours.clone()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("duplicate"), "{error}");
    assert!(LoopHandle::current().add_reader(&*ours, || ()).is_err());

    let second = AsyncFd::new(ours.as_fd().try_clone_to_owned().unwrap()).unwrap();
    theirs.write_all(b"x").unwrap();
    first.readable().await.unwrap();
    second.readable().await.unwrap();
    drop(second); // its file description lives on, but its registration must go
    assert_eq!(
        first
            .async_io(Interest::Read, |io| (&**io).read(&mut [0]))
            .await
            .unwrap(),
        1
    );
}

// ---- descriptors of one's own ----

#[coro::test(real)]
async fn a_descriptor_of_ones_own_is_read_when_it_is_ready() {
    let (ours, mut theirs) = pair();
    let ours = AsyncFd::new(ours).unwrap();
    let blocked = ours.try_io(Interest::Read, |io| (&**io).read(&mut [0]));
    assert_eq!(blocked.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let reader = spawn(async move {
        ours.readable().await.unwrap();
        let mut bytes = [0; 8];
        let len = ours
            .try_io(Interest::Read, |io| (&**io).read(&mut bytes))
            .unwrap();
        assert_eq!(&bytes[..len], b"hello");
        assert!(
            timeout(
                ms(5),
                ours.async_io(Interest::Read, |io| (&**io).read(&mut [0]))
            )
            .await
            .is_err()
        );
        ours.writable().await.unwrap();
        ours.into_inner()
    });
    turns(3).await;
    assert!(!reader.is_finished());
    theirs.write_all(b"hello").unwrap();
    let ours = reader.await.unwrap();
    assert_eq!(Rc::strong_count(&ours), 1);
}

#[coro::test(real)]
async fn every_task_that_waits_for_a_descriptor_is_woken() {
    let (ours, mut theirs) = pair();
    let ours = Rc::new(AsyncFd::new(ours).unwrap());
    let blocked = ours.try_io(Interest::Read, |io| (&**io).read(&mut [0]));
    assert!(blocked.is_err());
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let ours = ours.clone();
            spawn(async move { ours.readable().await })
        })
        .collect();
    turns(2).await;
    tasks[1].cancel();
    theirs.write_all(b"x").unwrap();
    for (n, task) in tasks.into_iter().enumerate() {
        let ended = timeout(Duration::from_secs(5), task).await.unwrap();
        assert_eq!(ended.is_err(), n == 1);
    }
}
