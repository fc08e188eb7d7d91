//! Bad use of generators: an error or a panic that names the remedy, without undefined behaviour.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use coro::CoroutineState::{Complete, Yielded};
use coro::generator::Status;
use coro::{Coroutine, yield_, yield_from};

use crate::generator::Log;

/// The message of the panic in `f`.
fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("it did not panic")
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[coro::coroutine(yields = u32, resumes = u32)]
fn echo() {
    let mut n = 0;
    while n < 10 {
        n = yield_!(n);
    }
}

#[test]
fn resuming_before_the_start_panics_and_says_to_start() {
    let mut echo = pin!(echo());
    let message = panic_of(|| echo.as_mut().resume(1));
    assert!(message.contains("call `start` first"), "{message}");
    assert_eq!(echo.status(), Status::NotStarted);
}

#[test]
fn starting_twice_panics_and_says_to_resume() {
    let mut echo = pin!(echo());
    _ = echo.as_mut().start();
    let message = panic_of(|| echo.as_mut().start());
    assert!(message.contains("call `resume`"), "{message}");
    assert_eq!(echo.as_mut().resume(3), Yielded(3));
}

#[test]
fn resuming_after_the_end_panics_and_says_to_ask() {
    let mut echo = pin!(echo());
    _ = echo.as_mut().start();
    assert_eq!(echo.as_mut().resume(10), Complete(()));
    let message = panic_of(|| echo.as_mut().resume(0));
    assert!(message.contains("`try_resume`"), "{message}");
    let message = panic_of(|| echo.as_mut().start());
    assert!(message.contains("after it had finished"), "{message}");
}

#[test]
fn after_a_panic_in_the_body_the_generator_is_finished() {
    #[coro::coroutine(yields = u32)]
    fn fragile(log: Log) {
        let _local = log.on_drop("local");
        yield_!(1);
        panic!("oh no");
    }
    let log = Log::default();
    let mut fragile = pin!(fragile(log.clone()));
    assert_eq!(fragile.as_mut().start(), Yielded(1));
    assert_eq!(panic_of(|| fragile.as_mut().resume(())), "oh no");
    assert_eq!(log.take(), ["local"]);
    assert_eq!(fragile.status(), Status::Finished);
    assert!(fragile.as_mut().try_resume(()).unwrap_err().is_finished());
    assert_eq!(fragile.as_mut().iter().next(), None);
    fragile.close();
}

#[test]
fn a_panic_ends_a_whole_chain_of_boxes_innermost_first() {
    #[coro::coroutine(yields = u32, boxed)]
    fn nested(depth: u32, log: Log) {
        let names = ["inner", "middle", "outer"];
        let _local = log.on_drop(names[depth as usize]);
        yield_!(depth);
        match depth {
            0 => panic!("at the bottom"),
            _ => yield_from!(nested(depth - 1, log.clone())),
        }
    }
    let log = Log::default();
    let mut nested = nested(2, log.clone());
    assert_eq!(nested.by_ref().take(3).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(panic_of(|| nested.next()), "at the bottom");
    assert_eq!(log.take(), ["inner", "middle", "outer"]);
    assert_eq!(nested.next(), None);
}

#[test]
fn an_await_in_a_generator_that_cannot_wait_is_a_clear_panic() {
    macro_rules! hidden_await {
        ($future:expr) => {
            $future.await
        };
    }
    #[coro::coroutine(yields = u32)]
    fn waits() {
        yield_!(hidden_await!(ready(1)));
        hidden_await!(std::future::pending::<()>());
    }
    let mut waits = pin!(waits());
    assert_eq!(waits.as_mut().start(), Yielded(1));
    let message = panic_of(|| waits.as_mut().resume(()));
    assert!(message.contains("make it an `async fn`"), "{message}");
    assert!(waits.try_resume(()).is_err());
}

#[test]
fn waking_a_generator_does_nothing() {
    macro_rules! hidden_await {
        ($future:expr) => {
            $future.await
        };
    }
    #[coro::coroutine(yields = std::task::Waker)]
    fn leaks_its_waker() {
        let waker = hidden_await!(std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(cx.waker().clone())
        }));
        yield_!(waker);
    }
    let waker = leaks_its_waker().into_iter().next().unwrap();
    waker.wake_by_ref();
    std::thread::spawn(move || waker.wake()).join().unwrap();
}

#[test]
fn a_generator_resumed_inside_another_finds_its_own_slot() {
    #[coro::coroutine(yields = String)]
    fn outer() {
        #[coro::coroutine(yields = u8)]
        fn inner() {
            for n in 0..3 {
                yield_!(n);
            }
        }
        let mut inner = pin!(inner());
        while let Yielded(n) = inner.as_mut().resume(()) {
            yield_!(n.to_string());
        }
    }
    assert_eq!(outer().into_iter().collect::<Vec<_>>(), ["0", "1", "2"]);
}

#[test]
fn a_body_cannot_resume_itself() {
    // A body can only reach itself through a shared cell, which is borrowed while the body runs.
    use std::cell::RefCell;
    use std::rc::Rc;
    type Shared = Rc<RefCell<Option<coro::generator::BoxGenerator<'static, bool, (), ()>>>>;

    #[coro::coroutine(yields = bool, boxed)]
    fn reentrant(me: Shared) {
        yield_!(me.try_borrow_mut().is_err());
    }
    let shared = Shared::default();
    *shared.borrow_mut() = Some(reentrant(shared.clone()));
    let first = shared.borrow_mut().as_mut().unwrap().next();
    assert_eq!(first, Some(true));
    shared.take();
}

#[test]
fn delegating_to_a_finished_coroutine_panics() {
    #[coro::coroutine(yields = u32)]
    fn delegates(mut child: Pin<&mut impl Coroutine<Yield = u32, Resume = (), Return = ()>>) {
        yield_from!(child.as_mut());
    }
    #[coro::coroutine(yields = u32)]
    fn one() {
        yield_!(1);
    }
    let mut child = pin!(one());
    assert_eq!(delegates(child.as_mut()).into_iter().count(), 1);
    let message = panic_of(|| delegates(child.as_mut()).into_iter().count());
    assert!(message.contains("after it had finished"), "{message}");
}

#[test]
fn delegating_to_a_started_coroutine_that_needs_a_value_panics() {
    #[coro::coroutine(yields = u32, resumes = u32)]
    fn delegates(child: &mut coro::generator::BoxGenerator<'_, u32, u32, u32>) -> u32 {
        yield_from!(child)
    }
    #[coro::coroutine(yields = u32, resumes = u32, boxed)]
    fn twice() -> u32 {
        yield_!(1) + yield_!(2)
    }
    let mut child = twice();
    _ = Pin::new(&mut child).start();
    let message = panic_of(|| pin!(delegates(&mut child)).start());
    assert!(message.contains("`resumed_with`"), "{message}");
}
