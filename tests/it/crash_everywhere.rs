//! `crash_everywhere`: a program that ends before each of its steps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro::testing::crash_everywhere;

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
