//! Waits for sockets, dropped at each suspension on a simulated host: none loses a connection, a
//! datagram or a byte.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use coro::net::{TcpListener, TcpStream, UdpSocket};
use coro::testing::cancel_everywhere;
use coro::{sleep, spawn};
use futures::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    let places = cancel_everywhere(
        async || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            drop(spawn(async move {
                for _ in 0..3 {
                    sleep(MS).await;
                    drop(TcpStream::connect(address).await.unwrap());
                }
            }));
            (listener, Cell::new(0))
        },
        async |(listener, accepted): &(TcpListener, Cell<u32>)| {
            for _ in 0..3 {
                listener.accept().await.unwrap();
                accepted.set(accepted.get() + 1);
            }
        },
        async |(listener, accepted)| {
            for _ in accepted.get()..3 {
                listener.accept().await.unwrap();
            }
        },
    );
    assert!(places >= 3, "{places} places");
}

#[test]
fn a_receive_that_is_dropped_loses_no_datagram() {
    let places = cancel_everywhere(
        async || {
            let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
            let to = receiver.local_addr().unwrap();
            drop(spawn(async move {
                let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
                for number in 0..4 {
                    sleep(MS).await;
                    sender.send_to(&[number], to).await.unwrap();
                }
            }));
            (receiver, RefCell::new(Vec::new()))
        },
        async |(receiver, got): &(UdpSocket, RefCell<Vec<u8>>)| receive(receiver, got).await,
        async |(receiver, got)| {
            receive(receiver, got).await;
            assert_eq!(*got.borrow(), [0, 1, 2, 3]);
        },
    );
    assert!(places >= 4, "{places} places");
}

/// Receives datagrams until there are four.
async fn receive(receiver: &UdpSocket, got: &RefCell<Vec<u8>>) {
    while got.borrow().len() < 4 {
        let mut number = [0];
        receiver.recv(&mut number).await.unwrap();
        got.borrow_mut().push(number[0]);
    }
}

#[test]
fn a_read_that_is_dropped_loses_no_byte() {
    let places = cancel_everywhere(
        async || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            drop(spawn(async move {
                let mut writer = TcpStream::connect(address).await.unwrap();
                for number in 0..4 {
                    sleep(MS).await;
                    writer.write_all(&[number]).await.unwrap();
                }
            }));
            (listener.accept().await.unwrap().0, RefCell::new(Vec::new()))
        },
        async |(stream, got): &(TcpStream, RefCell<Vec<u8>>)| read(stream, got).await,
        async |(stream, got)| {
            read(stream, got).await;
            assert_eq!(*got.borrow(), [0, 1, 2, 3]);
        },
    );
    assert!(places >= 4, "{places} places");
}

/// Reads bytes until the end.
async fn read(mut stream: &TcpStream, got: &RefCell<Vec<u8>>) {
    let mut buffer = [0; 2];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        got.borrow_mut().extend(&buffer[..len]);
    }
}

#[test]
fn a_connect_that_is_dropped_leaves_the_listener_usable() {
    let places = cancel_everywhere(
        async || TcpListener::bind("127.0.0.1:0").unwrap(),
        async |listener: &TcpListener| {
            TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap();
        },
        async |listener| {
            let address = listener.local_addr().unwrap();
            let again = spawn(async move { TcpStream::connect(address).await.unwrap() });
            let mut again = again.await.unwrap();
            let peer = again.local_addr().unwrap();
            let mut accepted = listener.accept().await.unwrap();
            while accepted.1 != peer {
                accepted = listener.accept().await.unwrap(); // the one that was given up
            }
            accepted.0.write_all(b"!").await.unwrap();
            again.read_exact(&mut [0]).await.unwrap();
        },
    );
    assert!(places <= 2, "{places} places");
}
