//! Pipes, standard streams of a process of its own.
#![cfg(unix)]

use std::cell::Cell;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use coro::net::{PipeReader, PipeWriter, pipe, stderr, stdin, stdout};
use coro::{gather, sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::support::ms;

// ---- pipes ----

#[coro::test(real)]
async fn much_goes_through_a_pipe_and_its_end_is_read() {
    let (mut reader, mut writer) = pipe().unwrap();
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n / 7) as u8).collect();
    let expected = bytes.clone();
    let write = async move {
        writer.write_all(&bytes).await.unwrap();
        writer.close().await.unwrap();
        writer.write(b"more").await.unwrap_err().kind()
    };
    let mut read = Vec::new();
    let (kind, len) = gather((write, reader.read_to_end(&mut read))).await;
    assert_eq!((kind, len.unwrap()), (io::ErrorKind::BrokenPipe, 1_000_000));
    assert!(read == expected);
}

#[coro::test(real)]
async fn writing_to_a_pipe_without_a_reader_is_an_error() {
    let (reader, mut writer) = pipe().unwrap();
    let waiting = spawn(async move {
        let error = writer.write_all(&vec![0; 1 << 20]).await.unwrap_err();
        (error.kind(), writer.write(b"x").await.unwrap_err().kind())
    });
    sleep(ms(2)).await;
    drop(reader);
    let kinds = waiting.await.unwrap();
    assert_eq!(
        kinds,
        (io::ErrorKind::BrokenPipe, io::ErrorKind::BrokenPipe)
    );
}

#[coro::test(real)]
async fn pipes_of_the_standard_library_are_taken_over_and_given_back() {
    let (theirs, mut blocking) = io::pipe().unwrap();
    let mut reader = PipeReader::from_fd(theirs).unwrap();
    let mut byte = [0];
    assert!(timeout(ms(2), reader.read(&mut byte)).await.is_err());
    blocking.write_all(b"ab").unwrap();
    assert_eq!(reader.read(&mut byte).await.unwrap(), 1);
    assert_eq!(
        reader.read(&mut byte).await.unwrap(),
        1,
        "nothing is left behind"
    );
    assert_eq!(&byte, b"b");
    drop(reader.into_fd());

    let (mut blocking, theirs) = io::pipe().unwrap();
    let mut writer = PipeWriter::from_fd(theirs).unwrap();
    writer.write_all(b"x").await.unwrap();
    blocking.read_exact(&mut byte).unwrap();
    assert!(writer.into_fd().is_some());
    let file = File::open("/dev/null").unwrap();
    assert_eq!(
        PipeReader::from_fd(file).unwrap_err().kind(),
        io::ErrorKind::Unsupported
    );
}

// ---- standard input and outputs ----

const COPY: &str = "CORO_TEST_COPY";

/// Copies standard input to standard output, then reports on standard error how often a timer
/// fired.
async fn copy() {
    let ticks = Rc::new(Cell::new(0));
    let ticker = spawn({
        let ticks = ticks.clone();
        async move {
            loop {
                sleep(ms(1)).await;
                ticks.set(ticks.get() + 1);
            }
        }
    });
    let (mut from, mut to) = (stdin().unwrap(), stdout().unwrap());
    let mut buffer = vec![0; 65536];
    loop {
        match from.read(&mut buffer).await.unwrap() {
            0 => break,
            len => to.write_all(&buffer[..len]).await.unwrap(),
        }
    }
    ticker.cancel();
    let said = format!("ticks {};", ticks.get());
    stderr().unwrap().write_all(said.as_bytes()).await.unwrap();
}

#[test]
fn standard_input_is_copied_to_standard_output() {
    if env::var_os(COPY).is_some() {
        coro::run(copy());
    }
}

/// The command for a process that runs this copy.
fn copying(input: impl Into<Stdio>, output: impl Into<Stdio>) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "stdio::standard_input_is_copied_to_standard_output",
        ])
        .args(["--nocapture", "--test-threads=1"])
        .env(COPY, "1")
        .stdin(input)
        .stdout(output)
        .stderr(Stdio::piped());
    command
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// Whether the open file behind a descriptor is non-blocking; `false` on a system without /proc.
fn is_nonblocking(fd: &impl AsRawFd) -> bool {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
    let info = info.unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.is_some_and(|flags| u32::from_str_radix(flags.trim(), 8).unwrap() & 0o4000 != 0)
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| b'a' + (n / 13 % 26) as u8).collect()
}

#[test]
fn standard_streams_that_are_pipes_leave_the_loop_free_and_are_left_as_they_were() {
    let (input, mut to_child) = io::pipe().unwrap();
    let (mut from_child, output) = io::pipe().unwrap();
    let (kept_input, kept_output) = (input.try_clone().unwrap(), output.try_clone().unwrap());
    let child = copying(input, output).spawn().unwrap();
    let sent = pattern(400_000);
    let writer = thread::spawn({
        let sent = sent.clone();
        move || to_child.write_all(&sent).unwrap()
    });
    thread::sleep(ms(150)); // while the pipe to us is full
    assert!(!is_nonblocking(&kept_input) && !is_nonblocking(&kept_output));
    drop((kept_input, kept_output));
    let mut copied = Vec::new();
    from_child.read_to_end(&mut copied).unwrap();
    writer.join().unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && contains(&copied, &sent), "{said}");
    let ticks = said
        .split_once("ticks ")
        .unwrap()
        .1
        .split_once(';')
        .unwrap()
        .0;
    assert!(ticks.parse::<u32>().unwrap() > 20, "{said}");
}

#[test]
fn standard_streams_that_are_sockets_are_waited_for() {
    let (input, mut to_child) = UnixStream::pair().unwrap();
    let (output, mut from_child) = UnixStream::pair().unwrap();
    let child = copying(OwnedFd::from(input), OwnedFd::from(output));
    let mut child = { child }.spawn().unwrap();
    let sent = pattern(400_000);
    let writer = thread::spawn({
        let sent = sent.clone();
        move || to_child.write_all(&sent).unwrap()
    });
    from_child
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut copied = Vec::new();
    let mut buffer = [0; 4096];
    while !contains(&copied[copied.len().saturating_sub(200)..], b"test result") {
        let len = from_child.read(&mut buffer).unwrap();
        assert_ne!(len, 0);
        copied.extend(&buffer[..len]);
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success() && contains(&copied, &sent));
}

#[test]
fn standard_streams_that_are_files_are_used_directly() {
    let path = env::temp_dir().join(format!("coro-stdio-{}", std::process::id()));
    let sent = pattern(20_000);
    fs::write(&path, &sent).unwrap();
    let input = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut output = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .unwrap();
    fs::remove_file(&path).unwrap();
    let kept = output.try_clone().unwrap();
    let ended = copying(input, kept).output().unwrap();
    let mut copied = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut copied).unwrap();
    assert!(ended.status.success() && contains(&copied, &sent));

    let null = || {
        File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .unwrap()
    };
    let ended = copying(null(), null()).output().unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

#[test]
fn standard_streams_that_are_a_terminal_give_line_after_line() {
    let python = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))";
    let known = Command::new("python3").args(["-c", "import pty"]).output();
    if !known.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no python3 to make a terminal");
        return;
    }
    let mut child = Command::new("python3")
        .args(["-c", python])
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            "stdio::standard_input_is_copied_to_standard_output",
            "--nocapture",
        ])
        .env(COPY, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    for line in ["one", "two"] {
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
        // Each line comes twice: as the terminal's echo, then as the copy.
        while String::from_utf8_lossy(&said).matches(line).count() < 2 {
            let len = output.read(&mut buffer).unwrap();
            assert_ne!(len, 0, "{}", String::from_utf8_lossy(&said));
            said.extend(&buffer[..len]);
        }
    }
    input.write_all(&[4]).unwrap(); // end of input, as by Ctrl-D
    output.read_to_end(&mut said).unwrap();
    assert!(contains(&said, b"ticks "));
    child.wait().unwrap();
}
