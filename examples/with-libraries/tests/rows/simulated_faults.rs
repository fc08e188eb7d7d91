//! Faults of simulated hosts: kills, losses of power, partitions, resets, shortages of descriptors.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{TcpStream, UdpSocket, open_connection, start_server};
use coro::testing::{Faults, PacketKind, Sim, Verdict, explore};
use coro::{sleep, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::http::ms;
use crate::simulated_network::{exchange, get, streams, three_hosts, web};

#[test]
fn a_killed_host_ends_its_connections_and_a_host_without_power_is_silent() {
    explore().seeds(20).run(async |sim: &Sim| {
        let host = sim.host("streams", streams);
        sleep(ms(1)).await;
        let mut stream = open_connection("streams", 7).await.unwrap();
        host.kill();
        assert!(!host.is_running());
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        let refused = open_connection("streams", 7).await.unwrap_err();
        assert_eq!(
            io::Error::from(refused).kind(),
            ErrorKind::ConnectionRefused
        );

        host.restart();
        sleep(ms(1)).await;
        let mut stream = open_connection("streams", 7).await.unwrap();
        host.power_off();
        stream.write_all(b"anyone?").await.unwrap();
        let silent = timeout(Duration::from_secs(900), stream.read(&mut [0])).await;
        assert!(silent.is_err());
        let error = stream.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn a_host_that_has_started_again_resets_the_connections_of_its_earlier_life() {
    explore().seeds(20).run(async |sim: &Sim| {
        let host = sim.host("streams", streams);
        sleep(ms(1)).await;
        let mut stream = open_connection("streams", 7).await.unwrap();
        host.power_off();
        host.restart();
        stream.write_all(b"still there?").await.unwrap();
        let error = stream.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_partition_delays_a_stream_until_its_packets_are_sent_again() {
    explore().seeds(20).run(async |sim: &Sim| {
        sim.host("streams", streams);
        sleep(ms(1)).await;
        let mut stream = open_connection("streams", 7).await.unwrap();
        let begun = coro::time::now();
        let cut = sim.partition(&["streams"], &["test"]);
        stream.write_all(b"!").await.unwrap();
        sleep(Duration::from_secs(30)).await;
        drop(cut);
        stream.read_exact(&mut [0]).await.unwrap();
        let waited = coro::time::now() - begun; // 200 ms, doubled until they exceed 30 s: 51 s
        assert_eq!(waited.as_secs(), 51);
    });
}

#[test]
fn a_reset_at_any_byte_of_a_request_is_an_error_or_an_answer() {
    for cut in 0..300 {
        let outcome = Rc::new(Cell::new(None));
        let noted = outcome.clone();
        explore().run(async move |sim: &Sim| {
            sim.host("web", web);
            sleep(ms(1)).await;
            let _rule = sim.rule(move |packet| match packet.kind {
                PacketKind::Data if packet.offset + packet.bytes.len() as u64 > cut => {
                    Verdict::ResetAfter(cut.saturating_sub(packet.offset) as usize)
                }
                _ => Verdict::Pass,
            });
            coro::LoopHandle::current().set_exception_handler(|_| {}); // a handler's connection may break
            let got = timeout(Duration::from_secs(60), get("web", "/hello/17")).await;
            noted.set(Some(got.expect("no hang").is_ok()));
        });
        assert!(outcome.get().is_some(), "cut at {cut}");
    }
}

#[test]
fn bytes_that_arrive_one_by_one_are_understood() {
    explore().seeds(20).run(async |sim: &Sim| {
        sim.faults({
            let mut faults = Faults::default();
            faults.fragments = 1_000_000;
            faults
        });
        sim.host("web", web);
        sleep(ms(1)).await;
        assert_eq!(get("web", "/hello/5").await.unwrap(), "hello, 5\n");
    });
}

#[test]
fn a_server_without_free_descriptors_pauses_and_serves_all_in_the_end() {
    explore().seeds(50).run(async |sim: &Sim| {
        coro::LoopHandle::current().set_exception_handler(|_| {}); // a handler's connection may break
        sim.host("streams", streams);
        sleep(ms(1)).await;
        let mut connections = Vec::new();
        for _ in 0..10 {
            connections.push(open_connection("streams", 7).await.unwrap());
        }
        sim.faults({
            let mut faults = Faults::default();
            faults.out_of_descriptors = 500_000;
            faults
        });
        for stream in &mut connections {
            stream.write_all(b"!").await.unwrap();
            stream.read_exact(&mut [0]).await.unwrap();
        }
    });
}

#[test]
fn datagrams_of_a_lossy_network_are_lost_late_or_doubled() {
    let counts = Rc::new(RefCell::new([0; 3]));
    let noted = counts.clone();
    explore().seeds(50).run(async move |sim: &Sim| {
        let _rule = sim.rule({
            let sim = sim.clone();
            move |packet| match (packet.kind, sim.choose(3)) {
                (PacketKind::Datagram, 1) => Verdict::Drop,
                (PacketKind::Datagram, 2) => Verdict::Duplicate,
                _ => Verdict::Pass,
            }
        });
        let receiver = UdpSocket::bind("0.0.0.0:53").unwrap();
        let sender = UdpSocket::bind("0.0.0.0:0").unwrap();
        let to = (std::net::Ipv4Addr::new(10, 0, 0, 1), 53);
        sender.send_to(b"x", to).await.unwrap();
        sleep(ms(100)).await;
        let mut received = 0;
        while receiver.try_recv(&mut [0]).is_ok() {
            received += 1;
        }
        noted.borrow_mut()[received] += 1;
    });
    assert!(counts.borrow().iter().all(|count| *count > 3), "{counts:?}");
}

#[test]
fn another_process_takes_the_same_course() {
    const NAME: &str = "another_process_takes_the_same_course";
    let digests = RefCell::new(Vec::new());
    explore().seeds(3).run(async |sim: &Sim| {
        let outcome = three_hosts(sim).await;
        digests.borrow_mut().push(format!("{:x}", sim.digest()));
        outcome
    });
    let text = format!("courses {}\n", digests.take().join(" "));
    if std::env::var_os("CORO_TEST_OTHER_PROCESS").is_some() {
        print!("{text}");
        return;
    }
    let path = format!("{}::{NAME}", module_path!().split_once("::").unwrap().1);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &path, "--nocapture"])
        .env("CORO_TEST_OTHER_PROCESS", "1")
        .output();
    let printed = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(printed.contains(&text), "{text} here, there {printed}");
}

#[test]
fn real_sockets_and_unknown_names_are_refused_in_a_sentence() {
    let text = panic_of(|| {
        explore().run(async |_: &Sim| {
            let real = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            UdpSocket::from_std(real).unwrap();
        });
    });
    assert!(
        text.contains("there is no socket of the standard library in a simulation"),
        "{text}"
    );
    let text = panic_of(|| {
        explore().run(async |_: &Sim| {
            UdpSocket::bind("127.0.0.1:0").unwrap().into_std();
        });
    });
    assert!(
        text.contains("a socket of a simulated host is none of the operating system's"),
        "{text}"
    );
    explore().run(async |_: &Sim| {
        let unknown = open_connection("nowhere", 80)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            unknown.contains("no simulated host is called \"nowhere\""),
            "{unknown}"
        );
    });
    let text = panic_of(|| {
        explore().run(async |sim: &Sim| {
            sim.host("twin", async || {});
            sim.host("twin", async || {});
        });
    });
    assert!(
        text.contains("two hosts of a simulation are called \"twin\""),
        "{text}"
    );
}

#[test]
fn a_host_that_fails_fails_the_test() {
    let failed = explore().try_run(async |sim: &Sim| {
        sim.host("broken", async || Err::<(), _>("out of paper"));
        sleep(ms(1)).await;
    });
    let text = failed.unwrap_err().message().to_owned();
    assert!(
        text.contains("the program of host \"broken\" failed"),
        "{text}"
    );
}

#[test]
fn a_host_is_itself_on_its_loopback() {
    explore().seeds(5).run(async |sim: &Sim| {
        let host = sim.host("streams", streams);
        sleep(ms(1)).await;
        let local = host.run(exchange("127.0.0.1", 7, b"local")).await;
        assert_eq!(local.unwrap(), b"local");
        assert!(exchange("127.0.0.1", 7, b"not ours").await.is_err());
        let from_outside =
            host.run(async { start_server("127.0.0.1:9", |_: TcpStream, _| async {}).unwrap() });
        let _server = from_outside.await;
        assert!(open_connection("streams", 9).await.is_err());
    });
}

#[test]
fn a_stream_is_no_longer_than_four_words() {
    let debugging = if cfg!(debug_assertions) { 8 } else { 0 }; // of mio, which compares its polls
    assert!(size_of::<TcpStream>() <= 32 + debugging);
}

fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let payload = caught.err().expect("this has to panic");
    *payload.downcast().expect("a text")
}
