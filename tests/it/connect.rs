//! Connecting by name, or to the first of several addresses that answers.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{
    ConnectError, ConnectOptions, TcpListener, TcpStream, happy_eyeballs, lookup_host,
    open_connection,
};
use coro::{EventLoop, LoopHandle, gather, sleep, timeout};

use crate::support::{Trace, ms};
use crate::tcp::{full, listen};

const DELAY: Duration = Duration::from_millis(250);

fn v4(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 80))
}

fn v6(last: u16) -> SocketAddr {
    SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 80))
}

/// An address without a listener.
fn refusing() -> SocketAddr {
    listen().1
}

// ---- the schedule, under a virtual clock ----

/// The result of an attempt, with its duration in milliseconds.
type Script = (SocketAddr, u64, Result<(), &'static str>);

/// Runs scripted attempts. Returns the outcome, and traces each event with its time.
async fn scripted(
    script: &[Script],
    trace: &Trace,
) -> Result<SocketAddr, Vec<(SocketAddr, &'static str)>> {
    let begun = LoopHandle::current().time();
    let note = |what: String| {
        let passed = LoopHandle::current().time() - begun;
        trace.add(format!("{} {what}", passed.as_millis()));
    };
    let attempt = |address: SocketAddr| {
        let &(_, delay, outcome) = script.iter().find(|it| it.0 == address).unwrap();
        note(format!("tries {}", address.ip()));
        let dropped = trace.on_drop("dropped");
        async move {
            sleep(ms(delay)).await;
            let _closed = outcome.is_err().then_some(dropped);
            outcome.map(|()| address)
        }
    };
    let outcome = happy_eyeballs(script.iter().map(|it| it.0), DELAY, attempt).await;
    note(String::from("over"));
    outcome
}

#[coro::test]
async fn the_first_success_wins_and_the_others_are_dropped() {
    let trace = Trace::new();
    let script = [
        (v6(1), 9999, Ok(())),
        (v4(1), 400, Ok(())),
        (v6(2), 100, Ok(())),
    ];
    assert_eq!(scripted(&script, &trace).await, Ok(v6(2)));
    trace.assert([
        "0 tries 2001:db8::1",
        "250 tries 192.0.2.1",
        "500 tries 2001:db8::2",
        "dropped", // the winner, which has returned
        "dropped",
        "dropped",
        "600 over",
    ]);
}

#[coro::test]
async fn families_alternate_and_begin_with_the_first() {
    let trace = Trace::new();
    let script = [v4(1), v4(2), v4(3), v6(1), v6(2), v4(4)].map(|it| (it, 9999, Ok(())));
    assert_eq!(scripted(&script, &trace).await, Ok(v4(1)));
    trace.assert([
        "0 tries 192.0.2.1",
        "250 tries 2001:db8::1",
        "500 tries 192.0.2.2",
        "750 tries 2001:db8::2",
        "1000 tries 192.0.2.3",
        "1250 tries 192.0.2.4",
        "dropped",
        "dropped",
        "dropped",
        "dropped",
        "dropped",
        "dropped",
        "9999 over",
    ]);
}

#[coro::test]
async fn a_failure_begins_the_next_attempt_at_once_and_the_delay_anew() {
    let trace = Trace::new();
    let script = [
        (v6(1), 100, Err("refused")),
        (v4(1), 9999, Ok(())),
        (v6(2), 10, Err("unreachable")),
        (v4(2), 10, Ok(())),
    ];
    assert_eq!(scripted(&script, &trace).await, Ok(v4(2)));
    trace.assert([
        "0 tries 2001:db8::1",
        "dropped",
        "100 tries 192.0.2.1",
        "350 tries 2001:db8::2",
        "dropped",
        "360 tries 192.0.2.2",
        "dropped",
        "dropped",
        "370 over",
    ]);
}

#[coro::test]
async fn every_error_is_kept_in_the_order_of_the_attempts() {
    let trace = Trace::new();
    let script = [
        (v6(1), 900, Err("last to fail")),
        (v4(1), 300, Err("second")),
        (v6(2), 10, Err("first")),
    ];
    let expected = script.map(|(address, _, outcome)| (address, outcome.unwrap_err()));
    assert_eq!(scripted(&script, &trace).await, Err(expected.to_vec()));
    assert_eq!(scripted(&[], &trace).await, Err(Vec::new()));
}

#[coro::test]
async fn of_two_successes_at_once_the_earlier_attempt_wins() {
    let trace = Trace::new();
    let script = [(v6(1), 300, Ok(())), (v4(1), 50, Ok(()))];
    assert_eq!(scripted(&script, &trace).await, Ok(v6(1)));
}

#[coro::test]
async fn dropping_the_race_drops_every_attempt() {
    let trace = Trace::new();
    let script = [(v6(1), 9999, Ok(())), (v4(1), 9999, Ok(()))];
    assert!(timeout(ms(400), scripted(&script, &trace)).await.is_err());
    trace.assert([
        "0 tries 2001:db8::1",
        "250 tries 192.0.2.1",
        "dropped",
        "dropped",
    ]);
}

// ---- names ----

#[coro::test]
async fn a_name_is_looked_up_while_the_virtual_clock_waits() {
    let begun = LoopHandle::current().time();
    let mut found = timeout(Duration::from_secs(60), lookup_host("localhost:80"))
        .await
        .expect("the clock does not jump to the deadline")
        .unwrap();
    assert!(found.all(|it| it.ip().is_loopback() && it.port() == 80));
    assert!(LoopHandle::current().time() - begun < Duration::from_secs(30));
}

#[coro::test(real)]
async fn more_lookups_than_threads_are_all_answered() {
    let lookups = (0..50).map(|port| lookup_host(("localhost", port)));
    for (port, found) in (0..50).zip(gather(lookups.collect::<Vec<_>>()).await) {
        assert!(found.unwrap().all(|it| it.port() == port));
    }
}

#[coro::test(real)]
async fn abandoned_lookups_are_neither_waited_for_nor_in_the_way() {
    for _ in 0..50 {
        let lookup = lookup_host("localhost:1");
        let _ = timeout(Duration::ZERO, lookup).await; // polled once or twice, then dropped
    }
    assert!(lookup_host("localhost:1").await.is_ok());
}

#[test]
fn a_loop_ends_while_a_lookup_goes_on() {
    let mut event_loop = EventLoop::new().unwrap();
    event_loop
        .handle()
        .spawn(async { lookup_host("localhost:1").await.map(drop) });
    event_loop.run_until_complete(coro::yield_now()).unwrap();
    event_loop.close();
}

#[coro::test(real)]
async fn a_name_that_is_none_is_an_error_that_says_so() {
    let error = open_connection("no.such.host.invalid", 80)
        .await
        .unwrap_err();
    assert!(error.lookup_error().is_some());
    assert!(error.attempts().is_empty());
    assert!(error.source().is_some());
    let text = error.to_string();
    assert!(
        text.starts_with("cannot connect to no.such.host.invalid:80: "),
        "{text}"
    );
    assert!(open_connection("with\0nul", 80).await.is_err());
}

#[coro::test(real)]
async fn text_that_names_no_port_is_refused_with_the_reason() {
    for (text, why) in [
        ("localhost", "there is no port"),
        ("localhost:", "the port is no number up to 65535"),
        ("localhost:http", "the port is no number up to 65535"),
        ("localhost:65536", "the port is no number up to 65535"),
        (":80", "there is no host"),
        ("::1:80", "an address of version 6 needs brackets"),
        ("", "there is no port"),
    ] {
        let error = TcpStream::connect(text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            format!("{text:?} is no \"host:port\": {why}")
        );
    }
}

#[coro::test]
async fn addresses_need_no_lookup() {
    let listed = |found: io::Result<_>| {
        let found: Box<dyn Iterator<Item = SocketAddr>> = found.unwrap();
        found.map(|it| it.to_string()).collect::<Vec<_>>()
    };
    for (text, expected) in [("127.0.0.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80")] {
        let found = lookup_host(text).await.map(|it| Box::new(it) as Box<_>);
        assert_eq!(listed(found), [expected]);
    }
    for host in ["::1", "[::1]"] {
        let found = lookup_host((host, 80))
            .await
            .map(|it| Box::new(it) as Box<_>);
        assert_eq!(listed(found), ["[::1]:80"]);
    }
}

// ---- sockets ----

#[coro::test(real)]
async fn a_host_is_connected_to_by_its_name() {
    let (listener, address) = listen();
    for _ in 0..2 {
        let (client, accepted) = gather((
            open_connection("localhost", address.port()),
            listener.accept(),
        ))
        .await;
        assert_eq!(client.unwrap().local_addr().unwrap(), accepted.unwrap().1);
    }
}

#[coro::test(real)]
async fn an_address_that_does_not_answer_costs_the_delay_and_no_more() {
    let (_full, unanswered, _queued) = full();
    let (_listener, address) = listen();
    let begun = coro::time::now();
    let client = TcpStream::connect([unanswered, address]).await.unwrap();
    assert_eq!(client.peer_addr().unwrap(), address);
    assert!((coro::time::now() - begun) >= DELAY);
    assert!(
        (coro::time::now() - begun) < ms(900),
        "{:?}",
        (coro::time::now() - begun)
    );

    let options = ConnectOptions::new().attempt_delay(ms(20));
    let begun = coro::time::now();
    options
        .connect(vec![unanswered, unanswered, address])
        .await
        .unwrap();
    assert!((coro::time::now() - begun) >= ms(40));
    assert!(
        (coro::time::now() - begun) < DELAY,
        "{:?}",
        (coro::time::now() - begun)
    );
}

#[coro::test(real)]
async fn when_all_refuse_each_refusal_is_told() {
    let (first, second) = (refusing(), refusing());
    let options =
        ConnectOptions::new().resolver(move |_, _| async move { Ok(vec![first, second]) });
    let error = options.connect("example.org:80").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let attempts: Vec<_> = error
        .attempts()
        .iter()
        .map(|(it, why)| (*it, why.kind()))
        .collect();
    assert_eq!(
        attempts,
        [first, second].map(|it| (it, ErrorKind::ConnectionRefused))
    );
    let refused = &error.attempts()[0].1.to_string();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to example.org:80: {first}: {refused}; {second}: {refused}")
    );
    let error = io::Error::from(error);
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let kept = error
        .get_ref()
        .and_then(|it| it.downcast_ref::<ConnectError>());
    assert_eq!(kept.unwrap().attempts().len(), 2);
}

#[coro::test(real)]
async fn the_refusal_of_a_single_address_is_the_systems_own_error() {
    let address = refusing();
    let error = TcpStream::connect(address).await.unwrap_err();
    assert!(error.raw_os_error().is_some());
    let error = open_connection("127.0.0.1", address.port())
        .await
        .unwrap_err();
    let refused = &error.attempts()[0].1;
    assert_eq!(
        error.to_string(),
        format!("cannot connect to {address}: {refused}")
    );
    let none = TcpStream::connect(Vec::new()).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
}

#[coro::test(real)]
async fn a_resolver_of_the_users_is_asked_once_and_not_for_addresses() {
    let (_listener, address) = listen();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let noting = asked.clone();
    let options = ConnectOptions::new().resolver(move |name, port| {
        noting.borrow_mut().push(format!("{name} {port}"));
        async move { Ok(vec![address]) }
    });
    options.connect("db.internal:5432").await.unwrap();
    options.connect(address).await.unwrap();
    options
        .connect(("127.0.0.1", address.port()))
        .await
        .unwrap();
    assert_eq!(*asked.borrow(), ["db.internal 5432"]);

    let failing = options.resolver(|_, _| async { Err(io::Error::other("no such record")) });
    let error = failing.connect("db.internal:5432").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot connect to db.internal:5432: no such record"
    );
}

#[coro::test(real)]
async fn a_connection_comes_from_the_local_address_that_was_given() {
    let (listener, address) = listen();
    let from = SocketAddr::from(([127, 0, 0, 9], 0));
    let options = ConnectOptions::new().local_addr(from);
    let connect = if cfg!(target_os = "linux") {
        options
    } else {
        return;
    };
    let (client, accepted) = gather((connect.connect(address), listener.accept())).await;
    assert_eq!(client.unwrap().local_addr().unwrap().ip(), from.ip());
    assert_eq!(accepted.unwrap().1.ip(), from.ip());

    let error = connect.connect(v6(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    let refused = connect.connect(refusing()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let not_ours = ConnectOptions::new().local_addr(v4(1));
    let error = not_ours.connect(address).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
}

#[coro::test(real)]
async fn the_loser_of_a_race_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let begun = Cell::new(0);
    let winner = happy_eyeballs([address, address], Duration::ZERO, |to| {
        begun.set(begun.get() + 1);
        let first = begun.get() == 1;
        async move {
            let stream = TcpStream::connect(to).await?;
            if first {
                std::future::pending::<()>().await;
            }
            io::Result::Ok(stream)
        }
    });
    let _winner = winner.await.unwrap();
    for expected in [Ok(0), Err(ErrorKind::TimedOut)] {
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = timeout(ms(50), futures::AsyncReadExt::read(&mut stream, &mut [0])).await;
        let read = read.unwrap_or_else(|elapsed| Err(elapsed.into()));
        assert_eq!(read.map_err(|it| it.kind()), expected);
    }
}
