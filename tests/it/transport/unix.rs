//! Transports over Unix sockets or pipes.

use std::fs;
use std::io::{self, Read, Write};
use std::process;

use coro::net::{
    Transport, UnixStream, connect_read_pipe, connect_write_pipe, create_unix_connection,
    create_unix_server,
};

use super::{Callback, Log, MUCH, Spy, keep_open, nothing};
use crate::support::turns;
use crate::tcp::join;

fn echo(callback: Callback<'_>, transport: &Transport) -> bool {
    if let Callback::Data(data) = callback {
        transport.write(data);
    }
    false
}

#[coro::test(real)]
async fn a_unix_server_and_a_unix_client_talk() {
    let name = format!("coro-transport-{}.sock", process::id());
    let path = std::env::temp_dir().join(name);
    let _ = fs::remove_file(&path);
    let server_log = Log::default();
    let made = server_log.clone();
    let server = create_unix_server(move || Spy::new(&made, echo), &path).unwrap();
    assert!(server.local_addr().is_err());

    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let client = create_unix_connection(|| spy, &path).await.unwrap();
    assert_eq!(client.peer_addr(), None);
    let is_connected = |stream: &UnixStream| stream.peer_addr().is_ok();
    assert_eq!(client.with_stream(is_connected), Some(true));
    #[cfg(all(target_os = "linux", feature = "ancillary"))]
    {
        let credentials = |stream: &UnixStream| stream.peer_cred().is_ok();
        assert_eq!(client.with_stream(credentials), Some(true));
    }
    client.write(b"hello");
    log.until_received(5).await;
    client.write_eof();
    log.until_event("lost").await;
    log.assert(["made", "data", "eof", "lost"]);
    server.close();
    server.wait_closed().await;
    server_log.assert(["made", "data", "eof", "lost"]);
    fs::remove_file(&path).unwrap();
}

#[coro::test(real)]
async fn one_of_a_pair_is_a_transport() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let log = Log::default();
    let transport = Transport::new(ours, Spy::new(&log, nothing));
    transport.write(b"early");
    let read = coro::spawn(async move {
        futures::AsyncReadExt::read_exact(&mut theirs, &mut [0; 5])
            .await
            .unwrap();
    });
    log.until_event("lost").await;
    read.await.unwrap();
}

#[coro::test(real)]
async fn the_bytes_of_a_pipe_are_received_up_to_its_end() {
    let (reader, mut writer) = io::pipe().unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let transport = connect_read_pipe(|| spy, reader).await.unwrap();
    writer.write_all(b"one ").unwrap();
    log.until_received(4).await;
    transport.pause_reading();
    writer.write_all(b"two").unwrap();
    drop(writer);
    turns(5).await;
    assert_eq!(log.data(), b"one ");
    transport.resume_reading();
    log.until_event("lost").await;
    log.assert(["made", "data", "eof", "lost"]);
    assert_eq!(log.data(), b"one two");
}

#[coro::test(real)]
async fn writing_to_a_pipe_that_is_read_from_is_an_error() {
    let (reader, _writer) = io::pipe().unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let transport = connect_read_pipe(|| spy, reader).await.unwrap();
    transport.write(b"wrong way");
    log.until_event("lost").await;
    log.assert(["made", "lost: Unsupported"]);
}

#[coro::test(real)]
async fn a_pipe_is_written_with_watermarks_and_closed_by_write_eof() {
    let (mut reader, writer) = io::pipe().unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let transport = connect_write_pipe(|| spy, writer).await.unwrap();
    transport.write(&vec![1; MUCH]);
    transport.write_eof();
    log.assert(["made", "pause"]);
    let read = std::thread::spawn(move || reader.read_to_end(&mut Vec::new()).unwrap());
    log.until_event("lost").await;
    assert_eq!(join(read).await, MUCH);
    log.assert(["made", "pause", "resume", "eof", "lost"]);
}

#[coro::test(real)]
async fn a_pipe_whose_reader_goes_is_noticed() {
    let (reader, writer) = io::pipe().unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let _transport = connect_write_pipe(|| spy, writer).await.unwrap();
    turns(5).await;
    log.assert(["made"]);
    drop(reader);
    log.until_event("lost").await;
    log.assert(["made", "eof", "lost"]);
}

#[coro::test(real)]
async fn a_pipe_whose_reader_goes_while_bytes_wait_breaks() {
    let (reader, writer) = io::pipe().unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, keep_open);
    let transport = connect_write_pipe(|| spy, writer).await.unwrap();
    transport.write(&vec![1; MUCH]);
    turns(5).await;
    drop(reader);
    log.until_event("lost").await;
    assert_eq!(log.count("lost: BrokenPipe"), 1);
}

#[coro::test(real)]
async fn a_regular_file_is_no_pipe() {
    let file = fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let spy = Spy::new(&Log::default(), nothing);
    assert!(connect_read_pipe(|| spy, file).await.is_err());
}
