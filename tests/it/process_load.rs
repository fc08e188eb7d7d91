//! Many children, large amounts of data; the ignored tests are the same in full size.

use std::fs;
use std::process::Stdio;

use coro::gather;
use coro::process::Command;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, stream};

use crate::descriptors::{in_a_process_of_its_own, is_in_a_process_of_its_own};
use crate::process::assert_reaped;

const MIB: usize = 1 << 20;

/// Runs `count` children, 200 at a time, and checks the exit code of each.
async fn many_children(count: u32) {
    let open = || fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    Command::new("true").status().await.unwrap();
    let before = open();
    let runs = stream::iter(0..count).map(|n| async move {
        let code = (n % 256) as i32;
        let status = Command::shell(format!("exit {code}")).status().await;
        assert_eq!(status.unwrap().code(), Some(code));
    });
    let ran = runs.buffer_unordered(200).count().await;
    assert_eq!(ran, count as usize);
    assert_reaped();
    assert_eq!(open(), before);
}

fn run_many_children(name: &str, count: u32) {
    match is_in_a_process_of_its_own() {
        true => coro::run(many_children(count)),
        false => in_a_process_of_its_own(name, 1024),
    }
}

#[test]
fn many_children_at_a_time_are_all_reaped_and_leave_no_descriptor() {
    let name = "process_load::many_children_at_a_time_are_all_reaped_and_leave_no_descriptor";
    run_many_children(name, 400);
}

#[test]
#[ignore = "takes half a minute"]
fn ten_thousand_children_are_all_reaped_and_leave_no_descriptor() {
    let name = "process_load::ten_thousand_children_are_all_reaped_and_leave_no_descriptor";
    run_many_children(name, 10_000);
}

/// The peak memory of this process; 0 if the system does not report it.
fn memory_max() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}

/// Sends `len` bytes through a `cat` and back.
async fn through_cat(len: usize) {
    let before = memory_max();
    let mut cat = Command::new("cat");
    let mut cat = cat
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = cat.stdin.take().unwrap();
    let mut stdout = cat.stdout.take().unwrap();
    let chunk: Vec<u8> = (0..65536).map(|n| (n % 251) as u8).collect();
    let write = async {
        for _ in 0..len / chunk.len() {
            stdin.write_all(&chunk).await.unwrap();
        }
        stdin.close().await.unwrap();
    };
    let read = async {
        let (mut total, mut read) = (0, vec![0; chunk.len()]);
        while let Ok(()) = stdout.read_exact(&mut read).await {
            assert!(read == chunk);
            total += read.len();
        }
        total
    };
    let ((), total) = gather((write, read)).await;
    assert_eq!(total, len);
    assert!(cat.wait().await.unwrap().success());
    let grown = memory_max() - before;
    // The peak includes the code that was loaded, which is much in a test.
    assert!(grown < 16 * MIB, "{grown} bytes more");
}

fn run_through_cat(name: &str, len: usize) {
    match is_in_a_process_of_its_own() {
        true => coro::run(through_cat(len)),
        false => in_a_process_of_its_own(name, 64),
    }
}

#[test]
fn data_through_pipes_takes_no_memory() {
    run_through_cat(
        "process_load::data_through_pipes_takes_no_memory",
        128 * MIB,
    );
}

#[test]
#[ignore = "takes some seconds"]
fn a_gibibyte_through_pipes_takes_no_memory() {
    let name = "process_load::a_gibibyte_through_pipes_takes_no_memory";
    run_through_cat(name, 1024 * MIB);
}

/// Both ways at once: each side must read while it writes, or both would block.
async fn both_ways(len: usize) {
    let input: Vec<u8> = (0..len).map(|n| (n % 253) as u8).collect();
    let mut tee = Command::shell("tee /dev/stderr");
    tee.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = tee.spawn().unwrap().communicate(&input).await.unwrap();
    assert!(output.status.success());
    assert!(output.stdout == input && output.stderr == input);
}

#[coro::test]
async fn communicate_moves_much_both_ways_at_once() {
    both_ways(4 * MIB).await;
}

#[coro::test]
#[ignore = "takes some seconds"]
async fn communicate_moves_64_mebibytes_both_ways_at_once() {
    both_ways(64 * MIB).await;
}
