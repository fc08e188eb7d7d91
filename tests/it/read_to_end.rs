//! Reading everything up to the end of a stream.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use coro::net::StreamReader;
use coro::timeout;
use futures::AsyncRead;

use crate::support::ms;

/// Gives its pieces one a poll, and waits once before each.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    waited: bool,
    /// The bytes of room that all reads had.
    room: usize,
    for_ever: bool,
}

impl Pieces {
    fn new(count: usize, len: usize) -> Self {
        Pieces {
            pieces: (0..count).map(|n| vec![n as u8; len]).collect(),
            waited: false,
            room: 0,
            for_ever: false,
        }
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.for_ever && self.pieces.is_empty() {
            return Poll::Pending;
        }
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.room = self.room.max(into.len());
        let Some(mut piece) = self.pieces.pop_front() else {
            return Poll::Ready(Ok(0));
        };
        let rest = piece.split_off(piece.len().min(into.len()));
        into[..piece.len()].copy_from_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(piece.len()))
    }
}

#[coro::test]
async fn everything_up_to_the_end_is_read() {
    let mut reader = StreamReader::with_limit(10, Pieces::new(300, 1000));
    assert_eq!(reader.read_exactly(10).await.unwrap(), [0; 10]);
    let all = reader.read_to_end(1 << 20).await.unwrap();
    assert_eq!(all.len(), 300 * 1000 - 10);
    let expected = (10..300_000).map(|at| (at / 1000) as u8);
    assert!(all.into_iter().eq(expected));
    assert!(reader.buffer().is_empty());
    assert_eq!(reader.read_to_end(0).await.unwrap(), b"");
    assert_eq!(reader.read_line().await.unwrap(), None);
}

#[coro::test]
async fn more_than_the_limit_is_refused_and_kept() {
    let mut reader = StreamReader::new(Pieces::new(3, 100));
    let refused = reader.read_to_end(299).await.unwrap_err();
    assert!(refused.is_too_long());
    assert_eq!(reader.buffer().len(), 300);
    assert_eq!(reader.read_to_end(300).await.unwrap().len(), 300);
}

#[coro::test]
async fn a_read_to_the_end_that_is_dropped_loses_nothing() {
    let mut pieces = Pieces::new(5, 100);
    pieces.for_ever = true;
    let mut reader = StreamReader::new(pieces);
    assert!(timeout(ms(5), reader.read_to_end(1000)).await.is_err());
    assert_eq!(reader.buffer().len(), 500);
    reader.get_mut().for_ever = false;
    assert_eq!(reader.read_to_end(1000).await.unwrap().len(), 500);
}

/// A peer that sends without end is read no further than the limit and the room for one read.
#[coro::test]
async fn no_more_is_kept_than_twice_the_limit() {
    let mut reader = StreamReader::new(Pieces::new(10_000, 1000));
    assert!(reader.read_to_end(100_000).await.unwrap_err().is_too_long());
    assert!(reader.buffer().len() <= 2 * 100_000 + 16_384);
}
