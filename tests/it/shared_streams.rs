//! Streams that several tasks read from, or write to, at once.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::process::{ChildStdout, Stdio};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use coro::net::{AsyncFd, Interest, UnixStream, pipe};
use coro::process::Command;
use coro::{EventLoop, gather, sleep, spawn, timeout, yield_now};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::support::{Trace, Wakes, ms, turns};
use crate::tcp::connection;

const LONG: Duration = Duration::from_secs(20);
const TASKS: usize = 5;

/// Has some tasks read a byte each, gives them one after another, and tells who got it.
async fn read_in_turn<S: 'static>(stream: S, mut give: impl FnMut())
where
    for<'a> &'a S: AsyncRead,
{
    let stream = Rc::new(stream);
    let trace = Trace::new();
    let readers: Vec<_> = (0..TASKS)
        .map(|n| {
            let (stream, trace) = (stream.clone(), trace.clone());
            spawn(async move {
                (&*stream).read_exact(&mut [0]).await.unwrap();
                trace.add(n.to_string());
            })
        })
        .collect();
    turns(3).await;
    for served in 1..=TASKS {
        give();
        while trace.len() < served {
            sleep(ms(1)).await;
        }
        turns(3).await;
    }
    timeout(LONG, gather(readers))
        .await
        .expect("a reader was left");
    trace.assert(["0", "1", "2", "3", "4"]);
}

#[coro::test(real)]
async fn the_readers_of_a_stream_are_served_in_order() {
    let (ours, mut theirs) = connection().await;
    let give = move || theirs.write_all(b"x").unwrap();
    timeout(LONG, read_in_turn(ours, give)).await.unwrap();

    let (ours, mut theirs) = StdUnixStream::pair().unwrap();
    let ours = UnixStream::from_std(ours).unwrap();
    let give = move || theirs.write_all(b"x").unwrap();
    timeout(LONG, read_in_turn(ours, give)).await.unwrap();

    let (reader, writer) = pipe().unwrap();
    let mut writer = std::io::PipeWriter::from(writer.into_fd().unwrap());
    let give = move || writer.write_all(b"x").unwrap();
    timeout(LONG, read_in_turn(reader, give)).await.unwrap();
}

/// Has some tasks write more than there is room for, and reads it all.
async fn write_at_once<S: 'static>(stream: S, mut theirs: impl Read + Send + 'static)
where
    for<'a> &'a S: AsyncWrite,
{
    const LEN: usize = 4 << 20;
    let stream = Rc::new(stream);
    let write = |_| {
        let stream = stream.clone();
        spawn(async move { (&*stream).write_all(&vec![7; LEN]).await.unwrap() })
    };
    let writers: Vec<_> = (0..TASKS).map(write).collect();
    turns(3).await;
    let waiting = writers.iter().filter(|writer| !writer.is_finished());
    assert!(waiting.count() > 1, "there is room for all");
    let reading = std::thread::spawn(move || {
        theirs.read_exact(&mut vec![0; TASKS * LEN]).unwrap();
    });
    timeout(LONG, gather(writers))
        .await
        .expect("a writer was left");
    reading.join().unwrap();
}

#[coro::test(real)]
async fn the_writers_of_a_stream_are_all_served() {
    let (ours, theirs) = connection().await;
    write_at_once(ours, theirs).await;
    let (ours, theirs) = StdUnixStream::pair().unwrap();
    write_at_once(UnixStream::from_std(ours).unwrap(), theirs).await;
    let mut child = Command::shell("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    write_at_once(stdin, ChildStdout::from(OwnedFd::try_from(stdout).unwrap())).await;
    child.wait().await.unwrap();
}

#[coro::test(real)]
async fn closing_the_input_of_a_child_is_told_to_every_writer() {
    let mut child = Command::new("sleep")
        .arg("3600")
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let stdin = Rc::new(child.stdin.take().unwrap());
    let write = |_| {
        let stdin = stdin.clone();
        spawn(async move { (&*stdin).write_all(&vec![7; 1 << 20]).await })
    };
    let writers: Vec<_> = (0..TASKS).map(write).collect();
    turns(3).await;
    (&*stdin).close().await.unwrap();
    for written in timeout(LONG, gather(writers))
        .await
        .expect("a writer was left")
    {
        assert_eq!(written.unwrap().unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[coro::test(real)]
async fn the_tasks_that_poll_a_descriptor_are_all_served() {
    let (ours, mut theirs) = StdUnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let ours = Rc::new(AsyncFd::new(ours).unwrap());
    let read = |_| {
        let ours = ours.clone();
        spawn(std::future::poll_fn(move |cx| {
            ours.poll_io(Interest::Read, cx, |mut io| io.read(&mut [0]))
        }))
    };
    let readers: Vec<_> = (0..TASKS).map(read).collect();
    turns(3).await;
    theirs.write_all(b"hello").unwrap();
    let all = timeout(LONG, gather(readers))
        .await
        .expect("a task was left");
    assert!(all.into_iter().all(|read| read.unwrap().unwrap() == 1));
}

fn poll_with(stream: &coro::net::TcpStream, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    let mut stream = stream;
    let polled = Pin::new(&mut stream).poll_read(&mut cx, &mut [0]);
    assert!(polled.is_pending());
}

#[coro::test(real)]
async fn wakers_of_reads_that_were_given_up_do_not_pile_up() {
    let (ours, mut theirs) = connection().await;
    let ours = Rc::new(ours);
    let patient = spawn({
        let ours = ours.clone();
        async move { (&*ours).read(&mut [0]).await.unwrap() }
    });
    turns(2).await;
    let mut wakers: Vec<Weak<Wakes>> = Vec::new();
    for n in 0..5000 {
        let (wakes, waker) = Wakes::new();
        poll_with(&ours, &waker);
        wakers.push(Arc::downgrade(&wakes));
        if n % 4 == 0 {
            yield_now().await;
        }
    }
    let kept = wakers
        .iter()
        .filter(|waker| waker.strong_count() > 0)
        .count();
    assert!(kept <= 100, "{kept} wakers are kept");
    assert!(!patient.is_finished());
    theirs.write_all(b"x").unwrap();
    assert_eq!(timeout(LONG, patient).await.unwrap().unwrap(), 1);
}

#[coro::test(real)]
async fn a_crowd_of_readers_that_stay_is_left_in_peace() {
    const CROWD: usize = 300;
    let (ours, mut theirs) = connection().await;
    let ours = Rc::new(ours);
    let polls = Rc::new(Cell::new(0));
    let read = |_| {
        let (ours, polls) = (ours.clone(), polls.clone());
        spawn(std::future::poll_fn(move |cx| {
            polls.set(polls.get() + 1);
            Pin::new(&mut &*ours).poll_read(cx, &mut [0])
        }))
    };
    let mut readers = Vec::new();
    for n in 0..CROWD {
        readers.push(read(n));
        if n % 7 == 0 {
            yield_now().await;
        }
    }
    turns(20).await;
    assert!(polls.get() <= 6 * CROWD, "{} polls", polls.get());
    let before = polls.get();
    turns(20).await;
    assert_eq!(polls.get(), before, "nothing has happened");
    theirs.write_all(&[7; CROWD]).unwrap();
    let read = timeout(LONG, gather(readers))
        .await
        .expect("a reader was left");
    assert!(read.into_iter().all(|len| len.unwrap().unwrap() == 1));
}

#[test]
fn a_wait_that_another_loop_refuses_takes_no_other_away() {
    let (mut first, mut second) = (EventLoop::new().unwrap(), EventLoop::new().unwrap());
    let (ours, mut theirs) = first.run_until_complete(connection()).unwrap();
    let ours = Rc::new(ours);
    let waiting = first.handle().spawn({
        let ours = ours.clone();
        async move { (&*ours).read(&mut [0]).await.unwrap() }
    });
    first.run_until_complete(turns(3)).unwrap();
    let refused = second.run_until_complete(async { (&*ours).read(&mut [0]).await });
    assert_eq!(refused.unwrap().unwrap_err().kind(), ErrorKind::Other);
    theirs.write_all(b"x").unwrap();
    let read = first.run_until_complete(timeout(LONG, waiting)).unwrap();
    assert_eq!(read.unwrap().unwrap(), 1);
}
