//! Datagrams by callbacks: `DatagramProtocol`.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use coro::event_loop::ReportKind;
use coro::net::{DatagramProtocol, DatagramTransport, UdpSocket, create_datagram_endpoint};

use super::Log;
use crate::support::{Reports, panic_of, turns};

type React = Box<dyn FnMut(&[u8], &DatagramTransport)>;

struct Spy {
    log: Log,
    transport: Option<DatagramTransport>,
    react: React,
}

impl DatagramProtocol for Spy {
    fn connection_made(&mut self, transport: &DatagramTransport) {
        self.transport = Some(transport.clone());
        self.log.add("made");
    }

    fn datagram_received(&mut self, data: &[u8], from: SocketAddr) {
        let text = String::from_utf8_lossy(&data[..data.len().min(10)]).into_owned();
        self.log.add(format!("datagram {text:?}"));
        let transport = self.transport.clone().unwrap();
        (self.react)(data, &transport);
        if data == b"echo" {
            transport.send_to(data, Some(from));
        }
    }

    fn error_received(&mut self, error: io::Error) {
        self.log.add(format!("error {:?}", error.kind()));
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.log
            .add(format!("lost {:?}", error.map(|error| error.kind())));
    }
}

fn nothing(_: &[u8], _: &DatagramTransport) {}

async fn spied(
    socket: UdpSocket,
    react: impl FnMut(&[u8], &DatagramTransport) + 'static,
) -> (DatagramTransport, Log) {
    let log = Log::default();
    let spy = Spy {
        log: log.clone(),
        transport: None,
        react: Box::new(react),
    };
    let transport = create_datagram_endpoint(|| spy, socket).await;
    log.assert(["made"]);
    (transport, log)
}

fn bound() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

#[coro::test(real)]
async fn datagrams_come_whole_in_their_order_and_empty_ones_too() {
    let (transport, log) = spied(bound(), nothing).await;
    let address = transport.local_addr().unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    for datagram in ["one", "", "three", "echo"] {
        peer.send_to(datagram.as_bytes(), address).await.unwrap();
    }
    log.until_event("datagram \"echo\"").await;
    log.assert([
        "made",
        r#"datagram "one""#,
        r#"datagram """#,
        r#"datagram "three""#,
        r#"datagram "echo""#,
    ]);
    let mut buffer = [0; 10];
    let (len, from) = peer.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..len], from), (&b"echo"[..], address));
}

#[coro::test(real)]
async fn a_refusal_is_told_and_the_endpoint_goes_on() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap();
    drop(peer);
    let socket = bound();
    socket.connect(address).unwrap();
    let (transport, log) = spied(socket, nothing).await;
    assert_eq!(transport.send_to(b"anybody?", None), 0);
    log.until_event("error").await;
    log.assert(["made", "error ConnectionRefused"]);

    let peer = UdpSocket::bind(address).unwrap();
    transport.send_to(b"again", None);
    let mut buffer = [0; 10];
    let (len, from) = peer.recv_from(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..len], b"again");
    peer.send_to(b"yes", from).await.unwrap();
    log.until_event("datagram").await;
}

#[coro::test(real)]
async fn a_datagram_too_long_to_send_is_an_error_and_no_end() {
    let (transport, log) = spied(bound(), |data, transport| {
        if data == b"too long" {
            let to = Some(SocketAddr::from(([127, 0, 0, 1], 9)));
            transport.send_to(&[0; 70_000], to);
        }
    })
    .await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"too long", transport.local_addr().unwrap())
        .await
        .unwrap();
    log.until_event("error").await;
    assert!(!transport.is_closing());
}

#[coro::test(real)]
async fn closing_ends_it_once_and_frees_the_address() {
    for abort in [false, true] {
        let (transport, log) = spied(bound(), nothing).await;
        let address = transport.local_addr().unwrap();
        match abort {
            true => transport.abort(),
            false => transport.close(),
        }
        transport.close();
        transport.abort();
        assert!(transport.is_closing());
        log.assert(["made"]);
        log.until_event("lost").await;
        turns(5).await;
        log.assert(["made", "lost None"]);
        assert!(transport.local_addr().is_err());
        transport.send_to(b"ignored", Some(address));
        UdpSocket::bind(address).unwrap();
        assert_eq!(Rc::strong_count(&log.0), 1, "the protocol is dropped");
    }
}

#[coro::test(real)]
async fn a_panic_in_a_callback_ends_it_with_an_error() {
    let reports = Reports::here();
    let (transport, log) = spied(bound(), |_, _| panic!("at a datagram")).await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"x", transport.local_addr().unwrap())
        .await
        .unwrap();
    log.until_event("lost").await;
    log.assert(["made", r#"datagram "x""#, "lost Some(Other)"]);
    reports.assert_taken([(ReportKind::ProtocolPanicked, "at a datagram")]);
}

#[coro::test(real)]
async fn no_error_is_told_after_a_panic() {
    let reports = Reports::here();
    let (transport, log) = spied(bound(), |_, transport| {
        let to = Some(SocketAddr::from(([127, 0, 0, 1], 9)));
        transport.send_to(&[0; 70_000], to); // too long, which is told later
        panic!("at a datagram");
    })
    .await;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"x", transport.local_addr().unwrap())
        .await
        .unwrap();
    log.until_event("lost").await;
    log.assert(["made", r#"datagram "x""#, "lost Some(Other)"]);
    reports.assert_taken([(ReportKind::ProtocolPanicked, "at a datagram")]);
}

#[coro::test(real)]
async fn datagrams_after_the_end_are_ignored_and_from_the_fifth_on_reported() {
    let reports = Reports::here();
    let (transport, log) = spied(bound(), nothing).await;
    let to = Some(transport.local_addr().unwrap());
    transport.close();
    for _ in 0..4 {
        assert_eq!(transport.send_to(b"x", to), 0);
    }
    assert_eq!(reports.len(), 0);
    log.until_event("lost").await;
    for _ in 0..4 {
        transport.send_to(b"x", to);
    }
    reports.assert_taken([(ReportKind::WriteIgnored, "5 writes were ignored so far")]);
}

#[coro::test(real)]
async fn an_address_is_named_just_when_the_socket_is_not_connected() {
    let (transport, _) = spied(bound(), nothing).await;
    let said = panic_of(|| transport.send_to(b"x", None));
    assert!(said.contains("the one that each call names"), "{said}");
}

#[coro::test(real)]
async fn the_limits_are_those_of_streams() {
    let (transport, _) = spied(bound(), nothing).await;
    assert_eq!(transport.get_write_buffer_limits(), (16 * 1024, 64 * 1024));
    transport.set_write_buffer_limits(Some(8), None);
    assert_eq!(transport.get_write_buffer_limits(), (2, 8));
    assert_eq!(transport.get_write_buffer_size(), 0);
}

#[test]
fn the_end_of_run_tells_the_protocol() {
    let told = coro::run(async { spied(bound(), nothing).await.1 });
    told.assert(["made", "lost None"]);
}
