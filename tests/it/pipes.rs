//! The loop's own pipes, given to transports, to children and to the standard library.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use coro::net::{Protocol, Transport, connect_read_pipe, connect_write_pipe, pipe};
use coro::process::Command;
use coro::sync::oneshot;
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::panic_of;

/// Collects what is received, and sends it on at the end.
struct Collect(Vec<u8>, Option<oneshot::Sender<Vec<u8>>>);

impl Protocol for Collect {
    fn data_received(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }

    fn connection_lost(&mut self, error: Option<std::io::Error>) {
        assert!(error.is_none(), "{error:?}");
        let _ = self.1.take().unwrap().send(std::mem::take(&mut self.0));
    }
}

struct WriteOnly;

impl Protocol for WriteOnly {
    fn connection_made(&mut self, transport: &Transport) {
        transport.write(b"by a transport");
        transport.close();
    }

    fn data_received(&mut self, _: &[u8]) {
        unreachable!("a pipe that is written to gives no data");
    }
}

#[coro::test(real)]
async fn transports_take_both_ends_of_a_pipe() {
    let (reader, writer) = pipe().unwrap();
    let (sender, received) = oneshot::channel();
    connect_read_pipe(|| Collect(Vec::new(), Some(sender)), reader)
        .await
        .unwrap();
    connect_write_pipe(|| WriteOnly, writer).await.unwrap();
    assert_eq!(received.await.unwrap(), b"by a transport");
}

#[coro::test(real)]
async fn a_child_takes_the_ends_of_pipes_as_its_input_and_output() {
    let ((to_read, mut input), (mut output, to_write)) = (pipe().unwrap(), pipe().unwrap());
    let mut child = Command::new("cat")
        .stdin(Stdio::from(to_read))
        .stdout(Stdio::from(to_write))
        .spawn()
        .unwrap();
    input.write_all(b"through a child").await.unwrap();
    input.close().await.unwrap();
    let mut text = String::new();
    output.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "through a child");
    assert!(child.wait().await.unwrap().success());
}

#[coro::test(real)]
async fn a_descriptor_that_is_given_away_blocks_and_one_taken_out_does_not() {
    let (reader, writer) = pipe().unwrap();
    let mut reader = File::from(OwnedFd::from(reader));
    let thread = std::thread::spawn(move || {
        let mut byte = [0];
        reader.read_exact(&mut byte).map(|()| byte[0])
    });
    std::thread::sleep(Duration::from_millis(10)); // so that it has to block, most likely
    File::from(OwnedFd::from(writer)).write_all(b"x").unwrap();
    assert_eq!(thread.join().unwrap().unwrap(), b'x');

    let (reader, _writer) = pipe().unwrap();
    let blocks = File::from(reader.into_fd()).read(&mut [0]);
    assert_eq!(blocks.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[coro::test(real)]
async fn a_pipe_that_was_closed_has_no_descriptor_to_give_away() {
    let (_reader, mut writer) = pipe().unwrap();
    writer.close().await.unwrap();
    let text = panic_of(|| OwnedFd::from(writer));
    assert!(
        text.starts_with("a pipe that was closed has no descriptor"),
        "{text}"
    );
    let (_reader, mut writer) = pipe().unwrap();
    writer.close().await.unwrap();
    assert!(writer.into_fd().is_none());
}
