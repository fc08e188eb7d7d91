//! Copying between streams, or from files with `send_file`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::net::Shutdown;
use std::path::PathBuf;
use std::pin::Pin;
use std::process;
use std::task::{Context, Poll};
use std::time::Duration;

use coro::net::{TcpStream, copy, copy_bidirectional, send_file};
use coro::{gather, sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::support::{ReadAll, ms};
use crate::tcp::ends;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 4096) as u8).collect()
}

async fn ended<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap()
}

/// A client and a server, with the two ends of their connections that are copied in between.
struct Between {
    client: TcpStream,
    a: TcpStream,
    b: TcpStream,
    server: TcpStream,
}

async fn between() -> Between {
    let (a, client) = ends().await;
    let (b, server) = ends().await;
    Between {
        client,
        a,
        b,
        server,
    }
}

async fn read_all(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    { stream }.read_all(&mut all).await?;
    Ok(all)
}

async fn write_all_and_close(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.close().await
}

#[coro::test(real)]
async fn both_directions_are_copied_at_once_and_counted() {
    let it = between().await;
    let (there, back) = (bytes(5 << 20), bytes(3 << 20));
    let (counts, (sent, received), (heard, answered)) = ended(gather((
        copy_bidirectional(&it.a, &it.b),
        gather((
            write_all_and_close(&it.client, &there),
            read_all(&it.client),
        )),
        gather((read_all(&it.server), write_all_and_close(&it.server, &back))),
    )))
    .await;
    assert_eq!(counts.unwrap(), (5 << 20, 3 << 20));
    sent.unwrap();
    answered.unwrap();
    assert!(heard.unwrap() == there);
    assert!(received.unwrap() == back);
}

#[coro::test(real)]
async fn an_end_is_passed_on_while_the_other_direction_goes_on() {
    for client_first in [true, false] {
        let it = between().await;
        let (first, second) = match client_first {
            true => (it.client, it.server),
            false => (it.server, it.client),
        };
        let copying = spawn(async move { copy_bidirectional(it.a, it.b).await });
        write_all_and_close(&first, b"a question").await.unwrap();
        assert_eq!(ended(read_all(&second)).await.unwrap(), b"a question");
        assert!(!copying.is_finished());
        write_all_and_close(&second, b"an answer, long after")
            .await
            .unwrap();
        assert_eq!(
            ended(read_all(&first)).await.unwrap(),
            b"an answer, long after"
        );
        let (there, back) = ended(copying).await.unwrap().unwrap();
        let counts = if client_first {
            (there, back)
        } else {
            (back, there)
        };
        assert_eq!(counts, (10, 21));
    }
}

#[coro::test(real)]
async fn a_slow_reader_slows_the_writer_down() {
    let it = between().await;
    let copying = spawn(async move { copy_bidirectional(it.a, it.b).await });
    let mut client = it.client;
    let chunk = bytes(1 << 20);
    let mut written = 0;
    while let Ok(result) = timeout(ms(200), client.write(&chunk)).await {
        written += result.unwrap();
        assert!(written < 100 << 20, "there is no end to what is buffered");
    }
    let read = spawn(async move { read_all(&it.server).await });
    client.close().await.unwrap();
    assert_eq!(ended(read).await.unwrap().unwrap().len(), written);
    copying.cancel();
}

#[coro::test(real)]
async fn a_reset_ends_both_directions_with_its_error() {
    let it = between().await;
    let (b, mut server) = ends().await;
    server.set_linger(Some(Duration::ZERO)).unwrap();
    let (counts, ()) = ended(gather((copy_bidirectional(&it.a, &b), async {
        (&it.client).write_all(b"hello").await.unwrap();
        server.read_exact(&mut [0; 5]).await.unwrap();
        drop(server);
    })))
    .await;
    assert_eq!(counts.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[coro::test]
async fn a_copy_from_a_reader_without_end_leaves_others_their_turns() {
    let copying = spawn(copy(futures::io::repeat(7), futures::io::sink()));
    for _ in 0..3 {
        coro::yield_now().await;
    }
    assert!(copying.cancel());
}

#[coro::test]
async fn a_writer_that_takes_nothing_is_an_error() {
    struct Full;
    impl AsyncWrite for Full {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(0))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    let error = copy(&b"bytes"[..], Full).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteZero);
}

// ---- files ----

/// A temporary file, which is removed on drop.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let name = format!("coro-{}-{name}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Temporary(path)
    }

    fn open(&self) -> File {
        File::open(&self.0).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[coro::test(real)]
async fn a_file_arrives_whole_and_its_position_stays() {
    let content = bytes((7 << 20) + 3);
    let temporary = Temporary::new("whole", &content);
    let mut file = temporary.open();
    file.seek(SeekFrom::Start(11)).unwrap();
    let (ours, mut theirs) = ends().await;
    let reader = spawn(async move {
        sleep(ms(20)).await; // so that the socket's buffers are full
        let mut all = Vec::new();
        theirs.read_all(&mut all).await.unwrap();
        all
    });
    let mut offset = 0;
    let sent = send_file(&ours, &file, &mut offset, None).await.unwrap();
    assert_eq!((sent, offset), (content.len() as u64, content.len() as u64));
    drop(ours);
    assert!(reader.await.unwrap() == content);
    assert_eq!(file.stream_position().unwrap(), 11);
}

#[coro::test(real)]
async fn a_part_of_a_file_is_sent_and_no_more_than_there_is() {
    let temporary = Temporary::new("part", b"0123456789");
    let file = temporary.open();
    let (ours, mut theirs) = ends().await;
    for (from, len, expected) in [
        (2, Some(3), "234"),
        (8, Some(100), "89"),
        (10, None, ""),
        (50, Some(1), ""),
        (3, Some(0), ""),
        (9, Some(u64::MAX), "9"),
    ] {
        let mut offset = from;
        let sent = send_file(&ours, &file, &mut offset, len).await.unwrap();
        assert_eq!(sent, expected.len() as u64);
        assert_eq!(offset, from + sent);
        let mut received = vec![0; expected.len()];
        theirs.read_exact(&mut received).await.unwrap();
        assert_eq!(received, expected.as_bytes());
    }
}

#[coro::test(real)]
async fn a_sending_that_was_given_up_goes_on_where_it_was() {
    let content = bytes(20 << 20);
    let temporary = Temporary::new("given-up", &content);
    let file = temporary.open();
    let (ours, mut theirs) = ends().await;
    let mut offset = 0;
    let stuck = timeout(ms(50), send_file(&ours, &file, &mut offset, None)).await;
    assert!(stuck.is_err());
    assert!(offset > 0 && offset < content.len() as u64);
    let reader = spawn(async move {
        let mut all = Vec::new();
        theirs.read_all(&mut all).await.unwrap();
        all
    });
    let rest = content.len() as u64 - offset;
    let sent = send_file(&ours, &file, &mut offset, None).await.unwrap();
    assert_eq!(sent, rest);
    drop(ours);
    assert!(reader.await.unwrap() == content);
}

/// The kernel cannot send such a file itself, but it can be read.
#[cfg(target_os = "linux")]
#[coro::test(real)]
async fn a_file_that_the_kernel_does_not_move_is_read_and_written() {
    let file = File::open("/proc/self/status").unwrap();
    let (ours, mut theirs) = ends().await;
    let mut offset = 0;
    let sent = send_file(&ours, &file, &mut offset, Some(5)).await.unwrap();
    assert_eq!(sent, 5);
    let mut received = [0; 5];
    theirs.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"Name:");
}

#[cfg(unix)]
#[coro::test(real)]
async fn sending_a_folder_or_an_unreadable_file_is_an_error() {
    let (ours, _theirs) = ends().await;
    let temporary = Temporary::new("unreadable", b"bytes");
    let unreadable = File::options().write(true).open(&temporary.0).unwrap();
    let folder = File::open("/").unwrap();
    for file in [unreadable, folder] {
        let mut offset = 0;
        assert!(send_file(&ours, &file, &mut offset, None).await.is_err());
        assert_eq!(offset, 0);
    }
}

#[coro::test(real)]
async fn a_peer_that_resets_ends_the_sending_with_its_error() {
    let temporary = Temporary::new("reset", &bytes(20 << 20));
    let file = temporary.open();
    let (ours, theirs) = ends().await;
    let mut offset = 0;
    let (sent, ()) = ended(gather((
        send_file(&ours, &file, &mut offset, None),
        reset_soon(theirs),
    )))
    .await;
    let kind = sent.unwrap_err().kind();
    assert!(matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    ));
    assert!(offset > 0);
}

async fn reset_soon(mut theirs: TcpStream) {
    sleep(ms(20)).await;
    theirs.write_all(b"!").await.unwrap();
    theirs.shutdown(Shutdown::Read).unwrap();
    drop(theirs); // with bytes unread: a reset
}
