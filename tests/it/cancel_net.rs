//! Reading and copying of `coro::net`, dropped at each suspension, over streams in memory.
#![expect(
    clippy::await_holding_refcell_ref,
    reason = "only the operation borrows it, and gives it back when it is dropped"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{StreamReader, copy, copy_bidirectional};
use coro::testing::{DuplexStream, cancel_everywhere, duplex};
use futures::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);

const TEXT: &[u8] = b"one\ntwo\nthree\nfour\n";

/// A reader of a stream on which a byte arrives each millisecond.
fn slow_reader() -> StreamReader<DuplexStream> {
    let (here, mut there) = duplex(64);
    drop(coro::spawn(async move {
        for byte in TEXT {
            there.write_all(&[*byte]).await.unwrap();
            coro::sleep(MS).await;
        }
    }));
    StreamReader::new(here)
}

/// Drops a read at each of its suspensions; all bytes that it did not give must still be there.
#[track_caller]
fn loses_nothing(read: impl AsyncFn(&mut StreamReader<DuplexStream>) -> Vec<u8>) {
    let places = cancel_everywhere(
        async || (RefCell::new(slow_reader()), RefCell::new(Vec::new())),
        async |(reader, got): &(RefCell<StreamReader<DuplexStream>>, RefCell<Vec<u8>>)| {
            let bytes = read(&mut reader.borrow_mut()).await;
            got.borrow_mut().extend(bytes);
        },
        async |(reader, got)| {
            let rest = reader.borrow_mut().read_to_end(1_000).await.unwrap();
            got.borrow_mut().extend(rest);
            assert_eq!(got.borrow().as_slice(), TEXT);
        },
    );
    assert!(places > 3, "{places} places");
}

#[test]
fn a_read_that_is_dropped_loses_no_byte() {
    loses_nothing(async |reader| {
        let line = reader.read_line().await.unwrap().unwrap();
        [line.as_bytes(), b"\n"].concat()
    });
    loses_nothing(async |reader| reader.read_until(b"ee").await.unwrap().unwrap().to_vec());
    loses_nothing(async |reader| reader.read_exactly(6).await.unwrap().to_vec());
    loses_nothing(async |reader| reader.read_to_end(1_000).await.unwrap());
}

#[test]
fn bytes_that_are_skipped_stay_skipped_and_no_others_are() {
    cancel_everywhere(
        async || RefCell::new(slow_reader()),
        async |reader| reader.borrow_mut().skip_until(b"three").await.unwrap(),
        async |reader| {
            let rest = reader.borrow_mut().read_to_end(1_000).await.unwrap();
            assert!(
                TEXT.ends_with(&rest) && rest.len() >= b"\nfour\n".len(),
                "{rest:?}"
            );
        },
    );
}

/// A sink that takes a few bytes at a time.
async fn drain(mut stream: DuplexStream, into: Rc<RefCell<Vec<u8>>>) {
    let mut buffer = [0; 3];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        into.borrow_mut().extend_from_slice(&buffer[..len]);
        coro::sleep(MS).await;
    }
}

#[test]
fn a_copy_that_is_dropped_has_passed_on_a_beginning() {
    let places = cancel_everywhere(
        async || {
            let (source, mut there) = duplex(4);
            drop(coro::spawn(async move {
                let _ = there.write_all(TEXT).await; // the copy may be gone
            }));
            let (sink, far) = duplex(2);
            let got = Rc::default();
            drop(coro::spawn(drain(far, Rc::clone(&got))));
            (RefCell::new(Some((source, sink))), got)
        },
        async |(ends, _)| {
            let (source, sink) = ends.take().unwrap();
            assert_eq!(copy(source, sink).await.unwrap(), TEXT.len() as u64);
        },
        async |(ends, got): &(RefCell<Option<_>>, Rc<RefCell<Vec<u8>>>)| {
            coro::sleep(50 * MS).await;
            let is_untouched = ends.borrow().is_some();
            assert!(TEXT.starts_with(&got.borrow()));
            assert!(!is_untouched || got.borrow().is_empty());
        },
    );
    assert!(places > 3, "{places} places");
}

#[test]
fn a_copy_in_both_directions_that_is_dropped_ends_both_streams() {
    let places = cancel_everywhere(
        async || {
            let ((near, a), (b, far)) = (duplex(32), duplex(32));
            let ended = Rc::new(RefCell::new(0));
            for mut end in [near, far] {
                let ended = ended.clone();
                drop(coro::spawn(async move {
                    for byte in TEXT {
                        let _ = end.write_all(&[*byte]).await; // the copy may be gone
                        coro::sleep(MS).await;
                    }
                    let _ = end.close().await;
                    let mut got = Vec::new();
                    end.read_to_end(&mut got).await.unwrap();
                    assert!(TEXT.starts_with(&got));
                    *ended.borrow_mut() += 1;
                }));
            }
            (RefCell::new(Some((a, b))), ended)
        },
        async |(ends, _)| {
            let (a, b) = ends.take().unwrap();
            let len = TEXT.len() as u64;
            assert_eq!(copy_bidirectional(a, b).await.unwrap(), (len, len));
        },
        async |(ends, ended)| {
            drop(ends.take());
            coro::sleep(50 * MS).await;
            assert_eq!(*ended.borrow(), 2);
        },
    );
    assert!(places > 3, "{places} places");
}
