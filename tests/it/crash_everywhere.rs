//! `crash_everywhere`: a program that ends before each of its steps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro::net::{TcpListener, TcpStream, open_connection};
use coro::testing::{Sim, crash_everywhere};
use futures::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);

/// A disk that takes its time, and keeps what it has written.
#[derive(Default)]
struct Disk {
    log: RefCell<Vec<u32>>,
    value: Cell<u32>,
    noted: Cell<u32>,
}

impl Disk {
    async fn write(&self, place: &Cell<u32>, value: u32) {
        coro::sleep(MS).await;
        place.set(value);
    }
}

/// Adds 1 for each number, once: the value first, then the number.
async fn careless(disk: Rc<Disk>) {
    for number in disk.noted.get() + 1..=5 {
        disk.write(&disk.value, disk.value.get() + 1).await;
        disk.write(&disk.noted, number).await;
    }
}

/// The same, with the intent in a log before both.
async fn write_ahead(disk: Rc<Disk>) {
    let unfinished = disk.log.borrow().last().copied();
    if let Some(value) = unfinished {
        disk.value.set(value);
        disk.noted.set(value);
        disk.log.borrow_mut().clear();
    }
    for number in disk.noted.get() + 1..=5 {
        coro::sleep(MS).await;
        disk.log.borrow_mut().push(number);
        disk.write(&disk.value, number).await;
        disk.write(&disk.noted, number).await;
        disk.log.borrow_mut().clear();
    }
}

#[test]
fn the_steps_inside_of_a_window_are_named_and_no_others() {
    let test = || {
        crash_everywhere(Disk::default, careless, async |disk: &Disk| {
            assert_eq!(disk.value.get(), disk.noted.get());
        })
    };
    let payload = std::panic::catch_unwind(test).unwrap_err();
    let text = payload.downcast::<String>().unwrap();
    // The first step begins the first write of a value, the second that of its number, ..
    let expected = "the state is broken after a crash before the steps 3, 5, 7, 9, 11 of 11: ";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("tests/it/crash_everywhere.rs:"), "{text}");
}

#[test]
fn a_log_that_is_written_ahead_survives_every_crash() {
    let check = async |disk: &Disk| {
        let again = Rc::new(Disk {
            log: disk.log.clone(),
            value: disk.value.clone(),
            noted: disk.noted.clone(),
        });
        write_ahead(again.clone()).await;
        assert_eq!((again.value.get(), again.noted.get()), (5, 5));
    };
    let steps = crash_everywhere(Disk::default, write_ahead, check);
    assert!(steps > 15);
}

#[test]
fn a_crash_ends_the_tasks_and_callouts_of_the_program_without_polling_them_again() {
    let polls = |count: &Rc<Cell<u32>>| {
        let count = count.clone();
        async move {
            loop {
                count.set(count.get() + 1);
                coro::sleep(MS).await;
            }
        }
    };
    crash_everywhere(
        Rc::<Cell<u32>>::default,
        move |count| async move {
            drop(coro::spawn(polls(&count)));
            let called = (*count).clone();
            coro::call_later(MS / 2, move || called.set(called.get() + 1));
            coro::scope(async |scope| {
                scope.spawn(async { coro::sleep(2 * MS).await });
            })
            .await;
        },
        async |count: &Rc<Cell<u32>>| {
            let before = count.get();
            assert_eq!(Rc::strong_count(count), 1, "a task is left");
            coro::sleep(9 * MS).await;
            assert_eq!(count.get(), before);
        },
    );
}

/// The numbers that a server has stored, and those that it has acknowledged to its client.
#[derive(Default)]
struct Ledger {
    stored: RefCell<Vec<u8>>,
    acknowledged: RefCell<Vec<u8>>,
}

/// Stores each number that comes, and acknowledges it: before that, or after.
async fn serve(ledger: Rc<Ledger>, stores_first: bool) {
    let listener = TcpListener::bind("0.0.0.0:80").unwrap();
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut number = [0];
        while stream.read_exact(&mut number).await.is_ok() {
            if stores_first {
                coro::sleep(MS).await; // the disk takes its time
                ledger.stored.borrow_mut().push(number[0]);
            }
            if stream.write_all(&number).await.is_err() {
                break;
            }
            if !stores_first {
                coro::sleep(MS).await;
                ledger.stored.borrow_mut().push(number[0]);
            }
            if number[0] == 3 {
                return;
            }
        }
    }
}

/// Sends three numbers, and notes those that are acknowledged.
async fn ask(ledger: Rc<Ledger>, server: &str) {
    let Ok(mut stream) = open_connection(server, 80).await else {
        return; // it is down
    };
    for number in 1..=3 {
        let asked = stream.write_all(&[number]).await;
        if asked.is_err() || stream.read_exact(&mut [0]).await.is_err() {
            return;
        }
        ledger.acknowledged.borrow_mut().push(number);
    }
}

/// The state of a server that crashes, with its client on another host.
fn with_client() -> Rc<Ledger> {
    let ledger = Rc::new(Ledger::default());
    let of_client = ledger.clone();
    Sim::current().host("client", move || {
        let ledger = of_client.clone();
        async move {
            coro::sleep(MS).await; // the server comes first
            ask(ledger, "program").await;
        }
    });
    ledger
}

async fn keeps_its_word(ledger: &Rc<Ledger>) {
    coro::sleep(50 * MS).await;
    let stored = ledger.stored.borrow();
    assert!(stored.starts_with(&ledger.acknowledged.borrow()));
}

#[test]
fn a_server_on_its_host_is_killed_at_every_step_and_its_client_sees_that() {
    let sound = |ledger: Rc<Rc<Ledger>>| serve((*ledger).clone(), true);
    let steps = crash_everywhere(with_client, sound, keeps_its_word);
    assert!(steps > 6, "{steps} steps");
    let hasty = |ledger: Rc<Rc<Ledger>>| serve((*ledger).clone(), false);
    let test = || crash_everywhere(with_client, hasty, keeps_its_word);
    let payload = std::panic::catch_unwind(test).unwrap_err();
    let text = payload.downcast::<String>().unwrap();
    assert!(text.starts_with("the state is broken after a crash before the steps "));
}

#[test]
fn a_crash_closes_the_sockets_of_the_program() {
    let steps = crash_everywhere(
        || {
            let ended = Rc::new(Cell::new(0));
            let noted = ended.clone();
            Sim::current().host("server", move || {
                let ended = noted.clone();
                async move {
                    let listener = TcpListener::bind("0.0.0.0:80").unwrap();
                    while let Ok((mut stream, _)) = listener.accept().await {
                        let _ = stream.read_to_end(&mut Vec::new()).await; // an end, or a reset
                        ended.set(ended.get() + 1);
                    }
                }
            });
            ended
        },
        |_| async {
            let mut stream = TcpStream::connect(("server", 80)).await.unwrap();
            for _ in 0..3 {
                coro::sleep(MS).await;
                stream.write_all(b"more").await.unwrap();
            }
        },
        async |ended: &Rc<Cell<u32>>| {
            coro::sleep(50 * MS).await;
            assert!(ended.get() <= 1);
            TcpStream::connect(("server", 80)).await.unwrap(); // it serves the next
            coro::sleep(50 * MS).await;
            assert!(ended.get() >= 1);
        },
    );
    assert!(steps > 3, "{steps} steps");
}
