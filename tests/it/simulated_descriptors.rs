//! A simulated listener without descriptors: its pauses grow to a second, and begin anew.

use std::time::Duration;

use coro::net::{TcpListener, TcpStream};
use coro::testing::{Faults, Sim, explore};
use coro::{sleep, spawn, time};

/// Takes all descriptors away until `shortage` is over; gives the milliseconds until an accept succeeds.
async fn accepted_after(sim: &Sim, listener: &TcpListener, shortage: u64) -> u128 {
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let _client = client.await.unwrap();
    let mut faults = Faults::default();
    faults.out_of_descriptors = 1_000_000;
    sim.faults(faults);
    let (sim, begun) = (sim.clone(), time::now());
    let over = spawn(async move {
        sleep(Duration::from_millis(shortage)).await;
        sim.faults(Faults::default());
    });
    listener.accept().await.unwrap();
    over.await.unwrap();
    (time::now() - begun).as_millis()
}

#[test]
fn the_pauses_of_an_accept_without_descriptors_double_from_10_ms_to_a_second() {
    let tries = [
        (5, 10),
        (11, 30),
        (31, 70),
        (71, 150),
        (151, 310),
        (311, 630),
        (631, 1270),
        (1271, 2270),
        (2271, 3270),
        (9271, 10_270),
    ];
    explore().seeds(2).run(async |sim: &Sim| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for (shortage, expected) in tries {
            assert_eq!(accepted_after(sim, &listener, shortage).await, expected);
            // The queue is found empty, so the next shortage begins with the shortest pause.
            let none = coro::timeout(Duration::from_millis(1), listener.accept()).await;
            assert!(none.is_err());
        }
    });
}

#[test]
fn the_pauses_go_on_growing_while_connections_wait() {
    explore().seeds(2).run(async |sim: &Sim| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let waiting = TcpStream::connect(listener.local_addr().unwrap()).await;
        assert_eq!(accepted_after(sim, &listener, 11).await, 30);
        assert_eq!(accepted_after(sim, &listener, 1).await, 40);
        drop(waiting);
    });
}
