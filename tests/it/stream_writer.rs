//! `StreamWriter`: writes that never wait, and waits until the other end keeps up.

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;
use std::time::Duration;

use coro::net::{
    StreamReader, StreamWriter, TcpListener, TcpStream, TransportReader, UnixStream, open_streams,
    start_server, streams,
};
use coro::{LoopHandle, gather, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::turns;

const LONG: Duration = Duration::from_secs(20);

type Pair = (StreamReader<TransportReader>, StreamWriter);

fn pair() -> (Pair, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (streams(ours), theirs)
}

/// A TCP connection whose other end is a stream, to be reset.
async fn tcp() -> (Pair, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (ours, theirs) = gather((open_streams("localhost", port), listener.accept())).await;
    (ours.unwrap(), theirs.unwrap().0)
}

fn reset(stream: TcpStream) {
    stream.set_linger(Some(Duration::ZERO)).unwrap();
}

/// More than the buffers of a socket of the system take.
fn much() -> Vec<u8> {
    (0..4_000_000_u32).map(|n| (n % 251) as u8).collect()
}

#[coro::test(real)]
async fn a_write_never_waits_and_a_drain_waits_for_the_low_limit() {
    let ((_reader, writer), mut theirs) = pair();
    writer.set_write_buffer_limits(Some(100_000), Some(1_000));
    let (much, done) = (much(), Cell::new(false));
    assert!(writer.write(&much) > 100_000);
    let drain = async {
        writer.drain().await.unwrap();
        done.set(true);
        assert!(writer.get_write_buffer_size() <= 1_000);
    };
    let read = async {
        turns(5).await;
        assert!(!done.get(), "the other end has read nothing");
        let mut received = vec![0; much.len()];
        theirs.read_exact(&mut received).await.unwrap();
        assert!(received == much);
    };
    gather((drain, read)).await;
}

#[coro::test(real)]
async fn a_drain_returns_at_once_while_few_bytes_wait() {
    let ((_reader, writer), _theirs) = pair();
    while writer.write(&[0; 10_000]) == 0 {
        turns(1).await;
    }
    let waiting = writer.get_write_buffer_size();
    assert!(waiting > 0 && waiting < 64 * 1024);
    writer.drain().await.unwrap();
    assert_eq!(writer.get_write_buffer_size(), waiting);
}

#[coro::test(real)]
async fn every_task_that_drains_is_served() {
    let ((_reader, writer), mut theirs) = pair();
    let (writer, much) = (Rc::new(writer), much());
    writer.write(&much);
    let drains: Vec<_> = (0..3)
        .map(|_| {
            let writer = writer.clone();
            spawn(async move { writer.drain().await })
        })
        .collect();
    turns(2).await;
    drains[1].cancel();
    let mut received = vec![0; much.len()];
    theirs.read_exact(&mut received).await.unwrap();
    let ends: Vec<_> = gather(drains).await;
    assert!(
        matches!(&ends[..], [Ok(Ok(())), Err(_), Ok(Ok(()))]),
        "{ends:?}"
    );
}

#[coro::test(real)]
async fn pieces_arrive_in_order_and_the_end_follows_them() {
    let ((mut reader, writer), mut theirs) = pair();
    writer.write(b"one ");
    writer.write_vectored(&[IoSlice::new(b"two "), IoSlice::new(b"three")]);
    writer.write_eof();
    writer.write_eof();
    let mut text = String::new();
    theirs.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "one two three");
    theirs.write_all(b"still heard\n").await.unwrap();
    assert_eq!(reader.read_line().await.unwrap(), Some("still heard"));
}

#[coro::test(real)]
async fn a_reset_is_told_to_the_reader_and_to_every_drain() {
    let ((mut reader, writer), theirs) = tcp().await;
    assert!(writer.peer_addr().is_some());
    writer.write(&much());
    let drain = async {
        let error = writer.drain().await.unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ));
    };
    let read = async {
        let error = reader.read_line().await.unwrap_err();
        assert!(coro::net::is_hang_up(&error), "{error}");
    };
    let reset = async {
        turns(3).await;
        reset(theirs);
    };
    timeout(LONG, gather((drain, read, reset))).await.unwrap();
    assert!(writer.is_closing());
    for _ in 0..2 {
        assert!(coro::net::is_hang_up(&writer.drain().await.unwrap_err()));
        assert!(coro::net::is_hang_up(
            &writer.wait_closed().await.unwrap_err()
        ));
    }
    assert_eq!(writer.write(b"ignored"), 0);
    assert!(writer.peer_addr().is_some(), "also once it is lost");
}

#[coro::test(real)]
async fn a_close_sends_all_ends_the_reader_and_is_waited_for() {
    let ((mut reader, writer), mut theirs) = pair();
    let much = much();
    writer.write(&much);
    let ended = spawn(async move {
        let line = reader.read_line().await;
        line.map(|line| line.map(str::to_owned))
    });
    turns(3).await;
    assert!(!ended.is_finished());
    writer.close();
    writer.write(b"ignored");
    assert_eq!(ended.await.unwrap().unwrap(), None);
    let receive = async {
        let mut received = Vec::new();
        theirs.read_to_end(&mut received).await.unwrap();
        assert!(received == much);
        drop(theirs);
    };
    let (closed, ()) = gather((writer.wait_closed(), receive)).await;
    closed.unwrap();
    assert_eq!(
        writer.drain().await.unwrap_err().kind(),
        ErrorKind::NotConnected
    );
}

#[coro::test(real)]
async fn an_abort_ends_both_at_once() {
    let ((mut reader, writer), _theirs) = pair();
    writer.write(&much());
    let (line, ()) = gather((reader.read_line(), async {
        turns(2).await;
        writer.abort();
    }))
    .await;
    assert_eq!(line.unwrap(), None);
    writer.wait_closed().await.unwrap();
}

#[coro::test(real)]
async fn a_dropped_writer_sends_its_bytes_and_their_end_and_the_reader_goes_on() {
    let ((mut reader, writer), mut theirs) = pair();
    let much = much();
    writer.write(&much);
    drop(writer);
    let mut received = Vec::new();
    theirs.read_to_end(&mut received).await.unwrap();
    assert!(received == much);
    theirs.write_all(b"an answer\n").await.unwrap();
    assert_eq!(reader.read_line().await.unwrap(), Some("an answer"));
    assert_eq!(LoopHandle::current().all_tasks().len(), 1);
    drop((reader, theirs));
    let closed = async {
        while !LoopHandle::current().all_tasks().is_empty() {
            turns(1).await;
        }
    };
    timeout(LONG, closed)
        .await
        .expect("closed, as the reader is gone, too");
}

#[coro::test(real)]
async fn a_reader_that_is_dropped_leaves_the_writer_at_work() {
    let ((reader, writer), mut theirs) = pair();
    drop(reader);
    writer.write(b"still");
    let mut text = [0; 5];
    theirs.read_exact(&mut text).await.unwrap();
    theirs.write_all(b"not read").await.unwrap();
    writer.close();
    drop(theirs);
    timeout(LONG, writer.wait_closed()).await.unwrap().unwrap();
}

#[coro::test(real)]
async fn a_read_that_is_dropped_loses_nothing() {
    let ((mut reader, _writer), mut theirs) = pair();
    theirs.write_all(b"half a ").await.unwrap();
    assert!(
        timeout(Duration::from_millis(5), reader.read_line())
            .await
            .is_err()
    );
    theirs.write_all(b"line\n").await.unwrap();
    assert_eq!(reader.read_line().await.unwrap(), Some("half a line"));
}

async fn shout((mut reader, writer): Pair) -> io::Result<()> {
    while let Some(line) = reader.read_line().await.map_err(io::Error::other)? {
        writer.write(line.to_uppercase().as_bytes());
        writer.write(b"\n");
        writer.drain().await?;
    }
    writer.close();
    writer.wait_closed().await
}

#[coro::test(real)]
async fn a_server_that_shuts_down_waits_for_what_its_writers_still_send() {
    let server = start_server("127.0.0.1:0", async |stream, _| {
        shout(streams(stream)).await
    });
    let server = server.unwrap();
    let port = server.local_addr().unwrap().port();
    let (mut reader, writer) = open_streams("127.0.0.1", port).await.unwrap();
    let line = "x".repeat(50_000);
    for _ in 0..100 {
        writer.write(line.as_bytes());
        writer.write(b"\n");
    }
    writer.write_eof();
    while server.connections() == 0 {
        turns(1).await;
    }
    let read = async {
        turns(10).await;
        let mut lines = 0;
        while let Some(line) = reader.read_line().await.unwrap() {
            assert_eq!(line.len(), 50_000);
            lines += 1;
        }
        writer.close();
        lines
    };
    let (cut, lines) = gather((server.shutdown(LONG), read)).await;
    assert_eq!((cut, lines), (0, 100));
}

const PYTHON_SERVER: &str = r#"
import asyncio
async def shout(reader, writer):
    async for line in reader:
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()
async def main():
    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

const PYTHON_CLIENT: &str = r#"
import asyncio, sys
async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    for n in range(2000):
        writer.write(b"line %d\n" % n)
    writer.write_eof()
    lines = [line async for line in reader]
    assert lines == [b"LINE %d\n" % n for n in range(2000)], lines[-3:]
    writer.close()
    await writer.wait_closed()
    print("right")
asyncio.run(main())
"#;

fn has_python() -> bool {
    let has = std::process::Command::new("python3")
        .arg("--version")
        .output()
        .is_ok();
    if !has {
        println!("skipped, as there is no python3");
    }
    has
}

#[coro::test(real)]
async fn asyncio_serves_our_pair() {
    if !has_python() {
        return;
    }
    let mut server = coro::process::Command::new("python3")
        .args(["-c", PYTHON_SERVER])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = StreamReader::new(server.stdout.take().unwrap());
    let port = said.read_line().await.unwrap().unwrap().parse().unwrap();
    let (mut reader, writer) = open_streams("127.0.0.1", port).await.unwrap();
    let write = async {
        for n in 0..2000 {
            writer.write(format!("line {n}\n").as_bytes());
            writer.drain().await.unwrap();
        }
        writer.write_eof();
    };
    let read = async {
        for n in 0..2000 {
            let line = reader.read_line().await.unwrap();
            assert_eq!(line, Some(format!("LINE {n}").as_str()));
        }
        assert_eq!(reader.read_line().await.unwrap(), None);
    };
    gather((write, read)).await;
    writer.close();
    writer.wait_closed().await.unwrap();
}

#[coro::test(real)]
async fn our_pair_serves_asyncio() {
    if !has_python() {
        return;
    }
    let server = start_server("127.0.0.1:0", async |stream, _| {
        shout(streams(stream)).await
    });
    let server = server.unwrap();
    let output = coro::process::Command::new("python3")
        .args([
            "-c",
            PYTHON_CLIENT,
            &server.local_addr().unwrap().port().to_string(),
        ])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said,
        "right\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(server.shutdown(LONG).await, 0);
}
