//! Counts of descriptors, or a shortage of them, each in a process of its own.

use std::cell::Cell;
use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::event_loop::ReportKind;
use coro::net::{TcpStream, start_server};
use coro::{EventLoop, gather, sleep, spawn, timeout};
use socket2::{Domain, Socket, Type};

use crate::server::{self, LOCAL, ping, serve_echo, until};
use crate::support::{Processor, Reports, ms, turns};
use crate::tcp::{connection, echo, full, listen};

/// A folder with a file for each open descriptor.
pub(crate) const OPEN: &str = match cfg!(target_os = "linux") {
    true => "/proc/self/fd",
    false => "/dev/fd",
};

/// Runs the test `name` again, alone in a process that may open this number of descriptors.
pub(crate) fn in_a_process_of_its_own(name: &str, descriptors: u32) {
    let run = "ulimit -n \"$CORO_TEST_DESCRIPTORS\" && exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", run])
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            name,
            "--nocapture",
            "--test-threads=1",
            "--include-ignored",
        ])
        .env("CORO_TEST_DESCRIPTORS", descriptors.to_string())
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(
        output.status.success() && out.contains("1 passed"),
        "{out}\n{err}"
    );
}

pub(crate) fn is_in_a_process_of_its_own() -> bool {
    env::var_os("CORO_TEST_DESCRIPTORS").is_some()
}

#[test]
fn a_listener_out_of_descriptors_reports_once_waits_and_recovers_by_itself() {
    if is_in_a_process_of_its_own() {
        coro::run(starve());
    } else {
        let name =
            "descriptors::a_listener_out_of_descriptors_reports_once_waits_and_recovers_by_itself";
        in_a_process_of_its_own(name, 64);
    }
}

async fn starve() {
    let reports = Reports::here();
    let processor = Processor::of_this_thread();
    let (listener, address) = listen();
    let (echoes, mut other) = connection().await;
    let served = spawn(echo(echoes));
    let accepted = Rc::new(Cell::new(0));
    let server = spawn({
        let accepted = accepted.clone();
        async move {
            loop {
                listener.accept().await.unwrap();
                accepted.set(accepted.get() + 1);
            }
        }
    });
    for episode in 1..=2 {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        assert!(files.len() > 8);
        client.connect(&address.into()).unwrap();
        let before = processor.used();
        let (_, others) = gather((sleep(ms(150)), talk(&mut other))).await;
        assert_eq!(others, 5, "others are unharmed");
        assert!(
            processor.used() - before <= ms(30),
            "{:?}",
            processor.used() - before
        );
        assert_eq!(accepted.get(), episode - 1);
        let all = reports.take();
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].kind, ReportKind::AcceptPaused);
        drop(files);
        let recovered = async {
            while accepted.get() < episode {
                sleep(ms(5)).await;
            }
        };
        timeout(Duration::from_secs(5), recovered).await.unwrap();
        assert_eq!(reports.len(), 0);
    }
    server.cancel();
    served.cancel();
}

/// Exchanges bytes with the echo task, through a socket that does not block.
async fn talk(other: &mut net::TcpStream) -> usize {
    other.set_nonblocking(true).unwrap();
    for n in 0..5 {
        other.write_all(&[n]).unwrap();
        let mut back = [99];
        let begun = Instant::now();
        while other.read(&mut back).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(5));
            sleep(ms(1)).await;
        }
        assert_eq!(back[0], n);
    }
    5
}

#[test]
fn every_descriptor_is_given_back() {
    if !is_in_a_process_of_its_own() {
        return in_a_process_of_its_own("descriptors::every_descriptor_is_given_back", 256);
    }
    let open = || fs::read_dir(OPEN).unwrap().count();
    let before = open();
    for _ in 0..20 {
        coro::run(use_descriptors());
        let mut event_loop = EventLoop::new().unwrap();
        let remote = event_loop.handle().remote();
        event_loop.handle().spawn(use_descriptors());
        event_loop.run_until_complete(turns(3)).unwrap();
        drop(event_loop);
        drop(remote);
    }
    assert_eq!(open(), before);
}

async fn use_descriptors() {
    let (ours, _theirs) = connection().await;
    let (listener, address) = listen();
    let (_full, unanswered, _queued) = full();
    for _ in 0..3 {
        assert!(
            timeout(ms(1), TcpStream::connect(unanswered))
                .await
                .is_err()
        );
        assert!(timeout(Duration::ZERO, listener.accept()).await.is_err());
    }
    let (client, accepted) = gather((TcpStream::connect(address), listener.accept())).await;
    spawn(echo(client.unwrap()));
    spawn(echo(accepted.unwrap().0));
    spawn(echo(ours));

    turns(3).await;
}

#[test]
fn a_server_out_of_descriptors_waits_without_spinning_and_recovers() {
    let name = "descriptors::a_server_out_of_descriptors_waits_without_spinning_and_recovers";
    match is_in_a_process_of_its_own() {
        true => coro::run(starve_a_server()),
        false => in_a_process_of_its_own(name, 64),
    }
}

async fn starve_a_server() {
    let reports = Reports::here();
    let server = start_server(LOCAL, serve_echo).unwrap();
    let address = server.local_addr().unwrap();
    let mut clients = Vec::new();
    while let Ok(client) = Socket::new(Domain::IPV4, Type::STREAM, None) {
        clients.push(client); // takes one descriptor, and will need one of the server's
    }
    for client in &clients {
        client.connect(&address.into()).unwrap();
    }
    let processor = Processor::of_this_thread();
    let before = processor.used();
    sleep(ms(200)).await;
    assert!(processor.used() - before <= ms(30));
    assert_eq!(server.connections(), 0);
    let kinds: Vec<_> = reports.take().iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [ReportKind::AcceptPaused]);
    clients.truncate(5);
    until(|| server.connections() == 5).await;
    for client in clients {
        let client = net::TcpStream::from(client);
        ping(&mut TcpStream::from_std(client).unwrap())
            .await
            .unwrap();
    }
    assert_eq!(server.shutdown(Duration::MAX).await, 0);
}

#[test]
fn servers_and_clients_give_every_descriptor_back() {
    if !is_in_a_process_of_its_own() {
        let name = "descriptors::servers_and_clients_give_every_descriptor_back";
        return in_a_process_of_its_own(name, 256);
    }
    let open = || fs::read_dir(OPEN).unwrap().count();
    let before = open();
    for n in 0..20 {
        coro::run(async move {
            let _reports = Reports::here();
            let server = start_server(LOCAL, serve_echo).unwrap();
            let mut clients = Vec::new();
            for _ in 0..5 {
                let mut client = server::connect(&server).await;
                ping(&mut client).await.unwrap();
                clients.push(client);
            }
            let address = server.local_addr().unwrap();
            let late = spawn(TcpStream::connect([address, address]));
            match n % 4 {
                0 => assert_eq!(server.shutdown(ms(1)).await, 5),
                1 => drop(server),
                2 => drop(clients),
                _ => server.close(),
            }
            late.cancel();
        });
    }
    assert_eq!(open(), before);
}
