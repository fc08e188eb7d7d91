//! The example `sharded_kv`, a key-value server on all cores, tested with real clients.
#![cfg(unix)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use crate::examples::{Program, printed, promised};
use crate::net_examples::{connect, exchange, has, serve};

fn start() -> (Program, SocketAddr) {
    serve("sharded_kv", &["127.0.0.1:0"])
}

fn assert_stops(program: Program) {
    program.interrupt();
    assert_says_that_it_stops(program);
}

fn assert_says_that_it_stops(mut program: Program) {
    assert_eq!(program.next_line(), "stopped by Ctrl-C: 0 connections cut");
    assert!(program.end().success());
}

#[test]
fn the_demonstration_prints_what_it_promises() {
    assert_eq!(printed("sharded_kv", "0.05"), promised("sharded_kv"));
}

#[test]
fn pipelines_are_answered_in_order_whichever_cores_their_keys_live_on() {
    let (kv, address) = start();
    let client = |name: usize| {
        let (mut sent, mut expected) = (String::new(), String::new());
        for n in 0..1000 {
            sent += &format!(
                "SET {name}:{n} {n}\r\nGET {name}:{n}\r\nINCR {name}:{}\r\n",
                n % 10
            );
            let value = n.to_string();
            expected += &format!("+OK\r\n${}\r\n{value}\r\n", value.len());
            let before = if n < 10 { n } else { n % 10 + n / 10 };
            expected += &format!(":{}\r\n", before + 1);
        }
        sent += &format!(
            "DEL {name}:990 {name}:991 {name}:none\r\nEXISTS {name}:990 {name}:992\r\nPING\r\n"
        );
        expected += ":2\r\n:1\r\n+PONG\r\n";
        (sent, expected)
    };
    let clients = (0..4).map(|name| {
        thread::spawn(move || {
            let (sent, expected) = client(name);
            let answer = exchange(address, sent.as_bytes());
            assert_eq!(String::from_utf8(answer).unwrap(), expected);
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.join().unwrap();
    }
    assert_eq!(exchange(address, b"DBSIZE\r\n"), b":3992\r\n");
    assert_stops(kv);
}

#[test]
fn commands_before_a_mistake_are_answered_and_an_idle_client_does_not_hold_up_the_end() {
    let (kv, address) = start();
    let idle: TcpStream = connect(address);
    let answer = exchange(address, b"SET a 1\r\nGET a\r\n*1\r\n$-5\r\nGET a\r\n");
    let expected = b"+OK\r\n$1\r\n1\r\n-ERR Protocol error: invalid bulk length\r\n";
    assert_eq!(answer, expected);
    assert_eq!(exchange(address, b"QUIT\r\nGET a\r\n"), b"+OK\r\n");
    let mut idle_too = connect(address);
    idle_too.write_all(b"GE").unwrap();
    assert_stops(kv);
    let _ = idle.shutdown(Shutdown::Both);
}

#[test]
fn ctrl_c_under_load_cuts_no_answer_that_was_begun() {
    const VALUE: usize = 256 * 1024;
    const KEYS: usize = 32; // which live on all cores; all values are more than a socket takes at once
    let (kv, address) = start();
    let keys = || (0..KEYS).map(|n| format!("key:{n}"));
    let set = keys().map(|key| format!("SET {key} {}\r\n", "v".repeat(VALUE)));
    for command in set {
        let sent = format!("*3\r\n{}", bulks(&command));
        assert_eq!(exchange(address, sent.as_bytes()), b"+OK\r\n");
    }
    let pipeline: String = keys().map(|key| format!("GET {key}\r\n")).collect();
    let answer = format!("${VALUE}\r\n{}\r\n", "v".repeat(VALUE)).repeat(KEYS);
    let begun = AtomicUsize::new(0);
    let ask_until_the_end = || {
        let mut stream = connect(address);
        let mut answers = 0;
        while stream.write_all(pipeline.as_bytes()).is_ok() {
            let mut got = Vec::new();
            let mut limited = Read::by_ref(&mut stream).take(answer.len() as u64);
            let ended = limited.read_to_end(&mut got);
            if got.is_empty() {
                break; // the server hung up between two pipelines
            }
            ended.unwrap();
            assert!(got == answer.as_bytes(), "cut after {} bytes", got.len());
            answers += 1;
            begun.fetch_add(1, SeqCst);
        }
        answers
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(ask_until_the_end)).collect();
        while begun.load(SeqCst) < 8 {
            thread::yield_now();
        }
        kv.interrupt();
        let answers = clients.into_iter().map(|client| client.join().unwrap());
        assert!(answers.sum::<usize>() >= 8);
    });
    assert_says_that_it_stops(kv);
}

/// The words of a command in the form of an array.
fn bulks(command: &str) -> String {
    let words = command.split_whitespace();
    words
        .map(|word| format!("${}\r\n{word}\r\n", word.len()))
        .collect()
}

#[test]
fn the_stock_client_and_its_benchmark_are_served() {
    if !has("redis-cli") || !has("redis-benchmark") {
        return;
    }
    let (kv, address) = start();
    let port = address.port().to_string();
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        let output = command.args(["-p", &port]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let mut answers = Vec::new();
    for words in [
        &["set", "a key", "a value"][..],
        &["get", "a key"],
        &["incr", "n"],
        &["del", "n", "a key", "none"],
        &["dbsize"],
    ] {
        answers.push(run("redis-cli", words));
    }
    assert_eq!(answers, ["OK\n", "a value\n", "1\n", "2\n", "0\n"]);
    let load = [
        "-q",
        "-n",
        "20000",
        "-r",
        "1000",
        "-P",
        "16",
        "-c",
        "20",
        "-t",
        "set,get,incr",
    ];
    let report = run("redis-benchmark", &load);
    for test in ["SET: ", "GET: ", "INCR: "] {
        let line = report
            .split(['\r', '\n'])
            .rfind(|line| line.starts_with(test));
        assert!(
            line.is_some_and(|line| line.contains("requests per second")),
            "{report}"
        );
    }
    assert_stops(kv);
}
