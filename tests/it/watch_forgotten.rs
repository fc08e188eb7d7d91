//! Descriptors that were closed while callbacks watched them, as their guards were forgotten.
#![cfg(unix)]

use std::cell::Cell;
use std::io::{Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use coro::net::UnixStream as OurStream;
use coro::{LoopHandle, sleep, timeout};
use futures::AsyncReadExt;
use socket2::{Domain, Socket, Type};

use crate::descriptors::{in_a_process_of_its_own, is_in_a_process_of_its_own};
use crate::support::{Drops, ms, turns};

const LONG: Duration = Duration::from_secs(20);

/// Watches a socket, forgets the guard, and closes the socket; gives its number.
fn forget_a_watched_one(drops: &Drops) -> i32 {
    let socket = OwnedFd::from(Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap());
    let counted = drops.counted();
    let guard = LoopHandle::current().add_reader(&socket, move || {
        let _ = &counted;
    });
    mem::forget(guard.unwrap());
    socket.as_raw_fd()
}

/// In a process of its own no other test takes the number that has become free.
fn alone(name: &str, test: impl Future<Output = ()>) {
    match is_in_a_process_of_its_own() {
        true => coro::run(test),
        false => in_a_process_of_its_own(&format!("watch_forgotten::{name}"), 256),
    }
}

#[test]
fn a_number_whose_guard_was_forgotten_can_be_watched_again() {
    alone(
        "a_number_whose_guard_was_forgotten_can_be_watched_again",
        async {
            let drops = Drops::default();
            let number = forget_a_watched_one(&drops);
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            assert!([ours.as_raw_fd(), theirs.as_raw_fd()].contains(&number));
            let (watched, written) = match ours.as_raw_fd() == number {
                true => (ours, &mut theirs),
                false => panic!("the lowest number is taken first"),
            };
            let called = Rc::new(Cell::new(0));
            let calls = called.clone();
            let watched = Rc::new(watched);
            let read = watched.clone();
            let _guard = LoopHandle::current()
                .add_reader(watched, move || {
                    (&*read).read_exact(&mut [0]).unwrap();
                    calls.set(calls.get() + 1);
                })
                .unwrap();
            assert_eq!(
                drops.count(),
                1,
                "the closure that was forgotten is dropped"
            );
            turns(3).await;
            assert_eq!(called.get(), 0);
            written.write_all(b"x").unwrap();
            let is_called = async {
                while called.get() == 0 {
                    sleep(ms(1)).await;
                }
            };
            timeout(LONG, is_called).await.unwrap();
        },
    );
}

#[test]
fn a_stream_that_has_a_forgotten_number_keeps_its_registration() {
    alone(
        "a_stream_that_has_a_forgotten_number_keeps_its_registration",
        async {
            let drops = Drops::default();
            let number = forget_a_watched_one(&drops);
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            assert_eq!(ours.as_raw_fd(), number);
            let mut ours = OurStream::from_std(ours).unwrap();
            let refused = LoopHandle::current().add_reader(&ours, || ());
            assert_eq!(
                refused.unwrap_err().kind(),
                std::io::ErrorKind::AlreadyExists
            );
            theirs.write_all(b"x").unwrap();
            let read = timeout(LONG, ours.read(&mut [0])).await.unwrap();
            assert_eq!(read.unwrap(), 1);
            theirs.write_all(b"y").unwrap();
            let read = timeout(LONG, ours.read(&mut [0])).await.unwrap();
            assert_eq!(read.unwrap(), 1);
        },
    );
}
