//! Tests of the `Kernel` alone: calls, times and events, without a loop.

use std::cell::Cell;
use std::io::{IoSlice, IoSliceMut};
use std::rc::Rc;
use std::time::Duration;

use core::net::SocketAddr;

use super::*;
use crate::choices::Script;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

struct Bench {
    machine: Rc<Kernel>,
    server: HostNumber,
}

fn bench() -> Bench {
    of_choices(Choices::from_script(Script::default()))
}

fn of_choices(choices: Choices) -> Bench {
    let machine = Kernel::new(Rc::new(choices), "test");
    let server = machine.add_host("server").unwrap();
    Bench { machine, server }
}

impl Bench {
    fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.machine.ip(self.server), port)
    }

    /// Lets the time pass, event by event; gives the time of the last.
    fn pass(&self, until: u64) -> u64 {
        let mut last = self.machine.now.get();
        while let Some(at) = self.machine.next_event().filter(|at| *at <= until) {
            last = last.max(at);
            self.machine.advance(at);
            while self.machine.take_ready().is_some() {}
        }
        self.machine.advance(until.max(last));
        last
    }

    fn listener(&self, port: u16) -> SocketId {
        let id = self.machine.tcp_socket(self.server).unwrap();
        self.machine.bind(id, self.at(port), false).unwrap();
        self.machine.listen(id, 16).unwrap();
        id
    }

    /// A client and a server that are connected.
    fn pair(&self) -> (SocketId, SocketId) {
        let listener = self.listener(80);
        let client = self.machine.tcp_socket(0).unwrap();
        self.machine.connect(client, self.at(80)).unwrap();
        self.pass(self.machine.now.get() + 10 * MS);
        self.machine.is_connected(client).unwrap();
        (client, self.machine.accept(listener).unwrap().0)
    }

    fn send(&self, id: SocketId, bytes: &[u8]) -> Answer<usize> {
        self.machine.send(id, &[IoSlice::new(bytes)])
    }

    fn receive(&self, id: SocketId) -> Answer<Vec<u8>> {
        let mut buffer = vec![0; 300_000];
        let len = self
            .machine
            .receive(id, &mut [IoSliceMut::new(&mut buffer)], false)?;
        buffer.truncate(len);
        Ok(buffer)
    }

    fn settle(&self) {
        self.pass(self.machine.now.get() + 100 * MS);
    }

    fn rule(&self, rule: impl Fn(&Packet<'_>) -> Verdict + 'static) -> u64 {
        self.machine.add_rule(Rc::new(rule))
    }
}

#[test]
fn bytes_and_ends_cross_in_both_directions() {
    let bench = bench();
    let (client, server) = bench.pair();
    assert_eq!(bench.receive(server), Err(CallError::WouldBlock));
    assert_eq!(bench.send(client, b"question"), Ok(8));
    bench.machine.shut(client, false, true).unwrap();
    bench.settle();
    assert_eq!(bench.receive(server).unwrap(), b"question");
    assert_eq!(bench.receive(server).unwrap(), b"");
    assert_eq!(bench.send(client, b"more"), Err(CallError::BrokenPipe));
    bench.send(server, b"answer").unwrap();
    bench.settle();
    assert_eq!(bench.receive(client).unwrap(), b"answer");
}

#[test]
fn a_packet_takes_the_latency() {
    let bench = bench();
    let (client, server) = bench.pair();
    bench.machine.set_latency(30 * MS, 0);
    let sent = bench.machine.now.get();
    bench.send(client, b"x").unwrap();
    bench.pass(sent + 30 * MS - 1);
    assert_eq!(bench.receive(server), Err(CallError::WouldBlock));
    bench.pass(sent + 30 * MS);
    assert_eq!(bench.receive(server).unwrap(), b"x");
}

#[test]
fn a_full_window_stops_the_writer_and_opens_with_an_event() {
    let bench = bench();
    let (client, server) = bench.pair();
    bench.machine.register(client, Some(7));
    bench.settle();
    let taken = bench.send(client, &[1; 300_000]).unwrap();
    assert_eq!(taken, tcp_end::WINDOW);
    assert_eq!(bench.send(client, b"x"), Err(CallError::WouldBlock));
    bench.settle();
    assert_eq!(bench.machine.take_ready().map(|it| it.0), None);
    assert_eq!(bench.receive(server).unwrap().len(), taken);
    bench.machine.advance(bench.machine.next_event().unwrap());
    let (token, readiness) = bench.machine.take_ready().unwrap();
    assert!(token == 7 && readiness.write);
    assert_eq!(bench.send(client, b"x"), Ok(1));
}

#[test]
fn a_kill_ends_connections_and_resets_those_with_unread_bytes() {
    let bench = bench();
    let (client, _) = bench.pair();
    bench.machine.kill(bench.server);
    bench.settle();
    assert_eq!(bench.receive(client).unwrap(), b"");

    let bench = self::bench();
    let (client, _) = bench.pair();
    bench.send(client, b"unread").unwrap();
    bench.settle();
    bench.machine.kill(bench.server);
    bench.settle();
    assert_eq!(bench.receive(client), Err(CallError::Reset));
    assert_eq!(bench.receive(client).unwrap(), b"");
    assert_eq!(bench.send(client, b"x"), Err(CallError::BrokenPipe));
}

#[test]
fn a_host_without_power_is_silent_until_the_connection_times_out() {
    let bench = bench();
    let (client, _) = bench.pair();
    bench.machine.power_off(bench.server);
    bench.send(client, b"x").unwrap();
    let sent = bench.machine.now.get();
    bench.pass(sent + 900 * SECOND);
    assert_eq!(bench.receive(client), Err(CallError::WouldBlock));
    let last = bench.pass(sent + 2_000 * SECOND);
    assert_eq!(bench.receive(client), Err(CallError::TimedOut));
    assert!((900..1_000).contains(&((last - sent) / SECOND)));
}

#[test]
fn a_restarted_host_resets_the_connections_of_its_earlier_life() {
    let bench = bench();
    let (client, _) = bench.pair();
    bench.machine.power_off(bench.server);
    bench.machine.start_host(bench.server);
    bench.send(client, b"x").unwrap();
    bench.settle();
    assert_eq!(bench.receive(client), Err(CallError::Reset));
}

#[test]
fn lost_segments_are_sent_again_and_stay_in_order() {
    let bench = bench();
    let (client, server) = bench.pair();
    let lost = Cell::new(0);
    bench.rule(move |packet| match packet.kind {
        PacketKind::Data if lost.get() < 3 => {
            lost.set(lost.get() + 1);
            Verdict::Drop
        }
        _ => Verdict::Pass,
    });
    let sent = bench.machine.now.get();
    bench.send(client, b"one").unwrap();
    bench.send(client, b"two").unwrap();
    bench.pass(sent + SECOND);
    assert_eq!(bench.receive(server), Err(CallError::WouldBlock));
    bench.pass(sent + 2 * SECOND); // 200 + 400 + 800 ms
    assert_eq!(bench.receive(server).unwrap(), b"onetwo");
}

#[test]
fn a_reset_at_a_byte_lets_the_bytes_before_it_arrive() {
    for cut in 0..20 {
        let bench = bench();
        let (client, server) = bench.pair();
        bench.rule(move |packet| match packet.kind {
            PacketKind::Data if packet.offset + packet.bytes.len() as u64 > cut => {
                Verdict::ResetAfter((cut - packet.offset) as usize)
            }
            _ => Verdict::Pass,
        });
        for part in [&b"0123456789"[..], b"abcdefghij"] {
            let _ = bench.send(client, part);
        }
        bench.settle();
        let expected = &b"0123456789abcdefghij"[..cut as usize];
        if cut > 0 {
            assert_eq!(bench.receive(server).unwrap(), expected);
        }
        assert_eq!(bench.receive(server), Err(CallError::Reset));
        assert_eq!(bench.receive(client), Err(CallError::Reset));
    }
}

#[test]
fn an_attempt_is_refused_unreachable_or_times_out() {
    let bench = bench();
    let outcome = |to: SocketAddr| {
        let client = bench.machine.tcp_socket(0).unwrap();
        bench.machine.connect(client, to).unwrap();
        let begun = bench.machine.now.get();
        bench.pass(begun + 200 * SECOND);
        bench.machine.is_connected(client)
    };
    assert_eq!(outcome(bench.at(9)), Err(CallError::Refused));
    assert_eq!(
        outcome("10.0.9.9:80".parse().unwrap()),
        Err(CallError::HostUnreachable)
    );
    assert_eq!(
        outcome("192.0.2.1:80".parse().unwrap()),
        Err(CallError::TimedOut)
    );
    bench.machine.power_off(bench.server);
    assert_eq!(outcome(bench.at(80)), Err(CallError::TimedOut));
}

#[test]
fn a_black_hole_lasts_127_seconds() {
    let bench = bench();
    bench.rule(|_| Verdict::Drop);
    let client = bench.machine.tcp_socket(0).unwrap();
    bench.machine.connect(client, bench.at(80)).unwrap();
    assert_eq!(bench.pass(1_000 * SECOND) / SECOND, 127);
    assert_eq!(bench.machine.is_connected(client), Err(CallError::TimedOut));
}

#[test]
fn datagrams_are_lost_doubled_and_overtake() {
    let bench = bench();
    let from = bench
        .machine
        .udp_socket(0, "0.0.0.0:0".parse().unwrap())
        .unwrap();
    let to = bench
        .machine
        .udp_socket(bench.server, bench.at(53))
        .unwrap();
    bench.rule(|packet| match packet.bytes {
        b"lost" => Verdict::Drop,
        b"twice" => Verdict::Duplicate,
        b"late" => Verdict::Delay(Duration::from_millis(50)),
        _ => Verdict::Pass,
    });
    for word in ["late", "lost", "twice", "plain"] {
        bench
            .machine
            .send_to(from, word.as_bytes(), Some(bench.at(53)))
            .unwrap();
    }
    bench.settle();
    let mut words = Vec::new();
    let mut buffer = [0; 16];
    while let Ok((len, sender, _)) = bench.machine.receive_from(to, &mut buffer, false) {
        assert_eq!(sender.ip(), bench.machine.ip(0));
        words.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
    }
    assert_eq!(words, ["twice", "plain", "twice", "late"]);
}

#[test]
fn a_connected_socket_learns_that_no_socket_is_there() {
    let bench = bench();
    let from = bench
        .machine
        .udp_socket(0, "0.0.0.0:0".parse().unwrap())
        .unwrap();
    bench
        .machine
        .send_to(from, b"x", Some(bench.at(53)))
        .unwrap();
    bench.settle();
    assert_eq!(
        bench.machine.receive_from(from, &mut [0; 9], false),
        Err(CallError::WouldBlock)
    );
    bench.machine.connect_udp(from, bench.at(53)).unwrap();
    bench.machine.send_to(from, b"x", None).unwrap();
    bench.settle();
    assert_eq!(
        bench.machine.receive_from(from, &mut [0; 9], false),
        Err(CallError::Refused)
    );
}

#[test]
fn fragments_and_short_writes_lose_nothing_and_end_with_events() {
    for seed in 0..50 {
        let bench = of_choices(Choices::from_seed(seed));
        let (client, server) = bench.pair();
        bench.machine.set_faults(Faults::all(300_000));
        bench.machine.register(server, Some(1));
        let bytes: Vec<u8> = (0..=255).collect();
        let mut sent = 0;
        while sent < bytes.len() {
            if let Ok(len) = bench.send(client, &bytes[sent..]) {
                sent += len;
            }
        }
        let mut received = Vec::new();
        let mut spurious = 0;
        while received.len() < bytes.len() {
            bench
                .machine
                .advance(bench.machine.next_event().expect("an event for each piece"));
            while let Some((token, _)) = bench.machine.take_ready() {
                assert_eq!(token, 1);
                loop {
                    match bench.receive(server) {
                        Ok(some) => received.extend(some),
                        Err(CallError::Interrupted) => {}
                        Err(failure) => break assert_eq!(failure, CallError::WouldBlock),
                    }
                }
                spurious += 1;
            }
        }
        assert!(spurious > 0);
        assert_eq!(received, bytes);
    }
}

#[test]
fn a_rule_may_kill_the_host_whose_packet_it_judges() {
    let bench = bench();
    let (client, server) = bench.pair();
    let machine = Rc::downgrade(&bench.machine);
    bench.rule(move |packet| {
        if packet.kind == PacketKind::Data {
            machine.upgrade().unwrap().kill(0);
        }
        Verdict::Pass
    });
    assert_eq!(bench.send(client, b"last words"), Ok(10));
    bench.settle();
    assert_eq!(bench.receive(server).unwrap(), b"last words");
    assert_eq!(bench.receive(server).unwrap(), b"");
}

#[test]
fn slow_connections_carry_their_bytes_in_time() {
    let bench = bench();
    let (client, server) = bench.pair();
    bench.rule(|_| Verdict::Slow {
        bytes_a_second: 1_000,
    });
    let begun = bench.machine.now.get();
    bench.send(client, &[0; 500]).unwrap();
    bench.send(client, &[0; 500]).unwrap();
    bench.pass(begun + 600 * MS);
    assert_eq!(bench.receive(server).unwrap().len(), 500);
    bench.pass(begun + 1_010 * MS);
    assert_eq!(bench.receive(server).unwrap().len(), 500);
}

#[test]
fn ports_are_taken_once_and_loopbacks_are_apart() {
    let bench = bench();
    let at: SocketAddr = "127.0.0.1:80".parse().unwrap();
    let bound = |host| {
        let id = bench.machine.tcp_socket(host).unwrap();
        bench.machine.bind(id, at, false)
    };
    assert_eq!(
        [bound(0), bound(0), bound(bench.server)],
        [Ok(()), Err(CallError::AddressInUse), Ok(())]
    );
    let id = bench.machine.tcp_socket(0).unwrap();
    assert_eq!(
        bench.machine.bind(id, bench.at(80), false),
        Err(CallError::AddressNotAvailable)
    );
}
