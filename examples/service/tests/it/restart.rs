//! The restart that hands the sockets over: under load, and when the next process does not start.
//!
//! `SERVICE_CONNECTIONS=100000` makes it another number of connections, `SERVICE_RESTARTS=20` of restarts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use std::{env, fs};

use coro::gather;
use coro::group::map_concurrent;

use crate::client::{get, until_metrics_say};
use crate::process::{Service, directory, ms, send, until};

/// How many clients are connected at a time.
const CLIENTS: usize = 100;

/// The process that has answered.
fn process_of(body: &str) -> u32 {
    let id = body.trim().rsplit(' ').next().expect("a word");
    id.parse().unwrap_or_else(|_| panic!("{body:?}"))
}

fn number_from(name: &str, default: usize) -> usize {
    let set = env::var(name).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

/// The experience of the clients.
#[derive(Default)]
struct Seen {
    answered: Cell<usize>,
    failures: RefCell<Vec<String>>,
    processes: RefCell<BTreeSet<u32>>,
    newest: Cell<u32>,
    slowest: Cell<Duration>,
}

impl Seen {
    async fn ask(&self, address: SocketAddr) {
        let begun = Instant::now();
        match get(address, "/").await {
            Ok((200, body)) => {
                let process = process_of(&body);
                self.answered.set(self.answered.get() + 1);
                if self.processes.borrow_mut().insert(process) {
                    self.newest.set(process);
                }
            }
            other => self.failures.borrow_mut().push(format!("{other:?}")),
        }
        self.slowest.set(self.slowest.get().max(begun.elapsed()));
    }
}

#[coro::test(real)]
async fn no_client_is_refused_while_one_process_after_another_takes_over() {
    let connections = number_from("SERVICE_CONNECTIONS", 5_000);
    let last = number_from("SERVICE_RESTARTS", 5);
    let mut service = Service::start(&[]);
    let (address, _) = service.addresses();
    let seen = Seen::default();
    let begun = Instant::now();
    let load = async {
        map_concurrent(0..connections, CLIENTS, async |_| seen.ask(address).await).await;
    };
    let restarts = async {
        for restart in 1..=last {
            let before = restart * connections / (last + 1);
            until(async || seen.answered.get() + seen.failures.borrow().len() >= before).await;
            let processes = seen.processes.borrow().len();
            send("-USR2", seen.newest.get());
            until(async || seen.processes.borrow().len() > processes).await;
        }
    };
    gather((load, restarts)).await;
    let failures = seen.failures.take();
    println!(
        "{} of {connections} connections failed in {last} restarts, {:.1?}; slowest answer {:.0?}",
        failures.len(),
        begun.elapsed(),
        seen.slowest.get(),
    );
    assert!(
        failures.is_empty(),
        "{} failed: {:?}",
        failures.len(),
        failures.first()
    );
    assert_eq!(seen.processes.borrow().len(), last + 1);
    assert!(service.ended().await.success());
    // The others end as well, but for the last.
    until(async || service.log().matches("drained, 0 connections cut").count() == last).await;
}

#[coro::test(real)]
async fn a_request_that_has_begun_is_answered_by_the_process_that_has_handed_over() {
    let mut service = Service::start(&["--linger-ms", "50"]);
    let (address, operators) = service.addresses();
    let ((slow, took), ()) = gather((
        async {
            let begun = Instant::now();
            (get(address, "/slow/1500").await.unwrap(), begun.elapsed())
        },
        async {
            until_metrics_say(operators, "http_requests_underway 1").await;
            service.signal("-USR2");
            service.line("takes over");
            until(async || {
                let (_, body) = get(address, "/").await.unwrap();
                process_of(&body) != service.id()
            })
            .await;
            assert_eq!(get(operators, "/ready").await.unwrap().0, 200);
        },
    ))
    .await;
    assert_eq!(slow, (200, "that was slow\n".to_owned()));
    assert!(took >= ms(1_500));
    assert!(service.ended().await.success());
    assert!(service.log().contains("drained, 0 connections cut"));
}

#[coro::test(real)]
async fn a_next_process_that_does_not_start_leaves_this_one_in_its_place() {
    let folder = directory();
    let program = folder.join("service");
    fs::copy(env!("CARGO_BIN_EXE_service"), &program).unwrap();
    let service = Service::spawn(Service::command(&program));
    let (address, operators) = service.addresses();

    // A release that ends at once takes the place of the program, as an upgrade does.
    let broken = folder.join("broken");
    fs::write(&broken, "#!/bin/sh\nexit 3\n").unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&broken, &program).unwrap();
    service.signal("-USR2");
    let line = service.line("no restart");
    assert!(line.contains("ended: exit status: 3"), "{line}");
    let (_, body) = get(address, "/").await.unwrap();
    assert_eq!(process_of(&body), service.id());
    assert_eq!(get(operators, "/ready").await.unwrap().0, 200);

    // The next release is sound.
    let sound = folder.join("sound");
    fs::copy(env!("CARGO_BIN_EXE_service"), &sound).unwrap();
    fs::rename(&sound, &program).unwrap();
    service.signal("-USR2");
    service.line("takes over");
    until(async || process_of(&get(address, "/").await.unwrap().1) != service.id()).await;
    let _ = fs::remove_dir_all(folder);
}
