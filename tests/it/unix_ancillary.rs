//! Descriptors that are sent along over Unix sockets.
#![cfg(all(unix, feature = "ancillary"))]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net as blocking;
use std::time::Duration;

use coro::net::{UnixDatagram, UnixStream};
use coro::timeout;
use futures::{AsyncReadExt, AsyncWriteExt};

fn files(n: usize) -> Vec<File> {
    (0..n).map(|_| File::open("/dev/null").unwrap()).collect()
}

#[coro::test(real)]
async fn descriptors_arrive_with_their_bytes_and_are_not_inherited() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (end, mut other_end) = blocking::UnixStream::pair().unwrap();
    assert_eq!(ours.send_fds(b"one", &[end.as_fd()]).await.unwrap(), 3);
    drop(end);
    let mut buffer = [0; 8];
    let received = theirs.recv_fds(&mut buffer, 4).await.unwrap();
    assert_eq!(&buffer[..received.len], b"one");
    assert!(!received.fds_truncated);
    let [fd] = <[OwnedFd; 1]>::try_from(received.fds).unwrap();
    #[cfg(target_os = "linux")]
    {
        use std::fs;
        use std::os::fd::AsRawFd;
        let info = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
        let flags = fs::read_to_string(info).unwrap();
        let flags = flags
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        assert_ne!(
            u32::from_str_radix(flags.trim(), 8).unwrap() & 0o2_000_000,
            0,
            "CLOEXEC"
        );
    }
    blocking::UnixStream::from(fd)
        .write_all(b"through")
        .unwrap();
    let mut through = String::new();
    other_end.read_to_string(&mut through).unwrap();
    assert_eq!(through, "through");
}

#[coro::test(real)]
async fn of_a_flood_of_descriptors_those_beyond_the_limit_are_closed() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let (end, mut other_end) = blocking::UnixStream::pair().unwrap();
    for max in [0, 1, 3] {
        let flood = vec![end.as_fd(); 200];
        ours.send_fds(b"flood", &flood).await.unwrap();
        let received = theirs.recv_fds(&mut [0; 3], max).await.unwrap();
        assert_eq!((received.len, received.fds.len()), (3, max));
        assert!(received.fds_truncated && received.truncated);
    }
    drop(end);
    assert_eq!(
        other_end.read(&mut [0]).unwrap(),
        0,
        "nobody has it open any more"
    );
}

#[coro::test(real)]
async fn descriptors_that_cannot_be_sent_are_refused_with_a_reason() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let file = File::open("/dev/null").unwrap();
    let error = ours.send_fds(b"", &[file.as_fd()]).await.unwrap_err();
    assert!(error.to_string().contains("at least one"), "{error}");
    let many = vec![file.as_fd(); 254];
    let error = ours.send_fds(b"!", &many).await.unwrap_err();
    assert!(error.to_string().contains("253"), "{error}");
}

#[coro::test(real)]
async fn bytes_behind_unexpected_descriptors_are_read_at_once() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let sent = files(1);
    ours.send_fds(b"with", &[sent[0].as_fd()]).await.unwrap();
    ours.send_fds(b"again", &[sent[0].as_fd()]).await.unwrap();
    (&ours).write_all(b"without").await.unwrap();
    let mut all = [0; 16];
    let read = timeout(Duration::from_secs(5), theirs.read_exact(&mut all));
    read.await.expect("nothing is left behind").unwrap();
    assert_eq!(&all, b"withagainwithout");
}
