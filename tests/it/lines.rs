//! Lines or frames in a stream of bytes, read by `StreamReader`.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use coro::net::{ReadError, StreamReader};
use coro::{gather, sleep, timeout};
use futures::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, StreamExt};

use crate::support::ms;
use crate::tcp::ends;

/// Returns at most `at_a_time` bytes from a read. Each read is pending once before.
struct Trickle<'a> {
    bytes: &'a [u8],
    at_a_time: usize,
    waited: bool,
}

impl<'a> Trickle<'a> {
    fn new(at_a_time: usize, bytes: &'a [u8]) -> Self {
        Trickle {
            bytes,
            at_a_time,
            waited: false,
        }
    }
}

impl AsyncRead for Trickle<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let len = self.at_a_time.min(into.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(len);
        into[..len].copy_from_slice(now);
        self.bytes = later;
        Poll::Ready(Ok(len))
    }
}

/// Calls `read` anew for every poll, and drops the unfinished read.
macro_rules! impatiently {
    ($read:expr) => {{
        loop {
            let once = futures::future::poll_fn(|cx| {
                let polled = pin!($read).poll(cx);
                Poll::Ready(match polled {
                    Poll::Ready(value) => Some(value.map(|it| it.map(str::to_owned))),
                    Poll::Pending => None,
                })
            });
            if let Some(done) = once.await {
                break done;
            }
        }
    }};
}

#[coro::test]
async fn lines_are_the_same_however_the_bytes_arrive() {
    let text = "one\r\n\ntwo words\nß — ✓\nthe last has no end";
    let expected = ["one", "", "two words", "ß — ✓", "the last has no end"];
    for at_a_time in [1, 2, 3, 7, 100] {
        let mut reader = StreamReader::new(Trickle::new(at_a_time, text.as_bytes()));
        for line in expected {
            assert_eq!(reader.read_line().await.unwrap(), Some(line));
        }
        assert_eq!(reader.read_line().await.unwrap(), None);
        assert_eq!(reader.read_line().await.unwrap(), None);
    }
}

#[coro::test]
async fn a_read_that_is_dropped_at_every_wait_loses_nothing() {
    use std::future::Future;
    for at_a_time in [1, 2, 5] {
        let text = b"the first line\nthe second\n";
        let mut reader = StreamReader::new(Trickle::new(at_a_time, text));
        for line in ["the first line", "the second"] {
            let read = impatiently!(reader.read_line());
            assert_eq!(read.unwrap().as_deref(), Some(line));
        }
        assert_eq!(impatiently!(reader.read_line()).unwrap(), None);
    }
}

#[coro::test]
async fn a_line_over_the_limit_is_an_error_that_keeps_it() {
    let text = b"short\nexactly10\nmuch too long a line\nnext\n";
    for at_a_time in [1, 4, 100] {
        let mut reader = StreamReader::with_limit(10, Trickle::new(at_a_time, text));
        assert_eq!(reader.read_line().await.unwrap(), Some("short"));
        assert_eq!(reader.read_line().await.unwrap(), Some("exactly10"));
        for _ in 0..2 {
            let error = reader.read_line().await.unwrap_err();
            assert!(error.is_too_long());
            assert_eq!(error.to_string(), "longer than the limit of 10 bytes");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidData);
            assert!(reader.buffer().starts_with(b"much too lo"));
        }
        assert_eq!(reader.skip_until(b"\n").await.unwrap(), 21);
        assert_eq!(reader.read_line().await.unwrap(), Some("next"));
        assert_eq!(reader.skip_until(b"\n").await.unwrap(), 0);
    }
}

#[coro::test]
async fn an_endless_line_takes_bounded_memory() {
    let mut reader = StreamReader::with_limit(1000, futures::io::repeat(b'x'));
    assert!(reader.read_line().await.unwrap_err().is_too_long());
    assert!(reader.buffer().len() < 20_000, "{}", reader.buffer().len());
}

#[coro::test]
async fn separators_are_found_across_reads() {
    let bytes = b"a\rb\r\n\r\r\n\r\nbody--\n\r\n\r";
    for at_a_time in [1, 2, 3, 100] {
        let mut reader = StreamReader::new(Trickle::new(at_a_time, bytes));
        let head = reader.read_until(b"\r\n\r\n").await.unwrap();
        assert_eq!(head, Some(&b"a\rb\r\n\r\r\n\r\n"[..]));
        assert_eq!(
            reader.read_until(b"--").await.unwrap(),
            Some(&b"body--"[..])
        );
        let rest = reader.read_until(b"\r\n\r\n").await.unwrap();
        assert_eq!(rest, Some(&b"\n\r\n\r"[..]));
        assert_eq!(reader.read_until(b"-").await.unwrap(), None);
    }
}

#[coro::test]
async fn frames_of_known_length_are_whole_or_an_error() {
    let mut reader = StreamReader::with_limit(8, Trickle::new(3, b"12345678abc"));
    assert_eq!(reader.read_exactly(0).await.unwrap(), b"");
    assert_eq!(reader.read_exactly(8).await.unwrap(), b"12345678");
    let error = reader.read_exactly(4).await.unwrap_err();
    assert!(error.is_end());
    assert_eq!(error.to_string(), "the stream ended after 3 of 4 bytes");
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(reader.read_exactly(3).await.unwrap(), b"abc");
    assert!(reader.read_exactly(9).await.unwrap_err().is_too_long());
}

#[coro::test]
async fn a_line_that_is_no_text_can_still_be_read_as_bytes() {
    let mut reader = StreamReader::new(&b"caf\xe9\nfine\n"[..]);
    let error = reader.read_line().await.unwrap_err();
    assert!(error.is_not_text());
    let text = error.to_string();
    assert!(
        text.starts_with("the line is no text: ") && text.contains("utf-8"),
        "{text}"
    );
    let line = reader.read_until(b"\n").await.unwrap();
    assert_eq!(line, Some(&b"caf\xe9\n"[..]));
    assert_eq!(reader.read_line().await.unwrap(), Some("fine"));
}

#[coro::test]
async fn after_the_lines_the_rest_is_read_as_bytes() {
    let bytes = b"head\nmore\nbody";
    let mut reader = StreamReader::new(Trickle::new(7, bytes));
    assert_eq!(reader.read_line().await.unwrap(), Some("head"));
    let mut more = String::new();
    AsyncBufReadExt::read_line(&mut reader, &mut more)
        .await
        .unwrap();
    assert_eq!(more, "more\n");
    let mut body = String::new();
    reader.read_to_string(&mut body).await.unwrap();
    assert_eq!(body, "body");

    let mut reader = StreamReader::new(&bytes[..]);
    assert_eq!(reader.read_line().await.unwrap(), Some("head"));
    let (rest, buffered) = reader.into_parts();
    assert_eq!([&buffered[..], rest].concat(), b"more\nbody");
}

#[coro::test]
async fn a_stream_of_lines_ends_with_the_first_error() {
    let mut reader = StreamReader::with_limit(9, &b"one\ntwo\nthe third\nfour\n"[..]);
    let lines: Vec<Result<String, ReadError>> = reader.read_lines().collect().await;
    let texts: Vec<_> = lines.iter().map(|it| it.as_deref().ok()).collect();
    assert_eq!(texts, [Some("one"), Some("two"), None]);
}

#[coro::test(real)]
async fn a_peer_that_sends_single_bytes_is_understood_and_can_be_given_up() {
    let (ours, mut theirs) = ends().await;
    let mut reader = StreamReader::new(&ours);
    let (_, read) = gather((
        async {
            for byte in b"one\ntwo\n" {
                theirs.write_all(&[*byte]).await.unwrap();
                sleep(ms(2)).await;
            }
        },
        async {
            let mut lines = Vec::new();
            while lines.len() < 2 {
                if let Ok(line) = timeout(ms(3), reader.read_line()).await {
                    lines.push(line.unwrap().unwrap().to_owned());
                }
            }
            lines
        },
    ))
    .await;
    assert_eq!(read, ["one", "two"]);
    theirs.shutdown(Shutdown::Both).unwrap();
    let end = timeout(Duration::from_secs(5), reader.read_line()).await;
    assert_eq!(end.unwrap().unwrap(), None);
}

#[test]
fn an_empty_separator_is_refused() {
    let mut reader = StreamReader::new(&b""[..]);
    let refused = crate::support::panic_of(|| coro::run(reader.skip_until(b"")));
    assert!(refused.contains("give at least one byte"), "{refused}");
}

#[coro::test]
async fn a_reader_that_waits_with_no_byte_left_holds_no_large_buffer() {
    let (mut theirs, ours) = ends().await;
    let mut reader = StreamReader::new(ours);
    let line = "x".repeat(10_000) + "\nhalf";
    theirs.write_all(line.as_bytes()).await.unwrap();
    assert_eq!(
        reader.read_line().await.unwrap().map(str::len),
        Some(10_000)
    );
    assert_eq!(reader.read_exactly(4).await.unwrap(), b"half");
    assert!(timeout(ms(1), reader.read_line()).await.is_err());
    let (ours, left) = reader.into_parts();
    assert!(
        left.is_empty() && left.capacity() < 1000,
        "{}",
        left.capacity()
    );

    let mut reader = StreamReader::new(ours);
    theirs.write_all(b"a beginning").await.unwrap();
    assert!(timeout(ms(1), reader.read_line()).await.is_err());
    assert_eq!(reader.buffer(), b"a beginning");
    theirs.write_all(b" and an end\n").await.unwrap();
    let line = reader.read_line().await.unwrap();
    assert_eq!(line, Some("a beginning and an end"));
}

#[test]
fn a_reader_reads_outside_of_a_loop() {
    let bytes = b"one\ntwo".repeat(5_000);
    let mut reader = StreamReader::new(&bytes[..]);
    let all = futures::executor::block_on(async {
        assert_eq!(reader.read_line().await.unwrap(), Some("one"));
        reader.read_to_end(bytes.len()).await.unwrap()
    });
    assert_eq!(all, bytes[4..]);
}
