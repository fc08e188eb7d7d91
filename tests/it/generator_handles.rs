//! Attacks on the handle of a generator's body: by the functions behind the macros, without `unsafe`.
//!
//! Each ends in a panic that says what is wrong. `scripts/asan.sh` runs them too.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use coro::__private::{
    AsyncCo, Co, Operand as _, async_generator, delegate, generator, generator_boxed, yield_in,
};
use coro::CoroutineState::Yielded;
use coro::generator::AsyncCoroutine;
use coro::{Coroutine, yield_};
use futures::FutureExt as _;

const FOREIGN: &str = "polled in another coroutine than its own";

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

#[track_caller]
fn is_refused<T>(f: impl FnOnce() -> T) {
    let message = panic_of(f);
    assert!(message.contains(FOREIGN), "{message}");
}

/// A handle whose generator is gone.
fn orphan<Y, R>() -> Co<Y, R> {
    let mut stolen = None;
    drop(generator::<Y, R, _>(|co| {
        stolen = Some(co);
        async {}
    }));
    stolen.unwrap()
}

fn orphan_that_waits<Y, R>() -> AsyncCo<Y, R> {
    let mut stolen = None;
    drop(async_generator::<Y, R, _>(|co| {
        stolen = Some(co);
        async {}
    }));
    stolen.unwrap()
}

#[coro::coroutine(yields = u8)]
async fn victim(foreign: impl Future<Output = ()>) {
    foreign.await;
    yield_!(1);
}

fn poll_victim(foreign: impl Future<Output = ()>) -> Option<u8> {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(victim(foreign)).poll_resume(&mut cx, &mut None) {
        Poll::Ready(state) => state.yielded(),
        Poll::Pending => None,
    }
}

#[test]
fn a_handle_of_the_macro_in_another_body() {
    macro_rules! hidden_yield {
        ($value:expr) => {
            coro::yield_!($value)
        };
    }
    #[coro::coroutine(yields = [u64; 64])]
    async fn smuggler() {
        let stolen = this_fn_needs_the_attribute_coro_coroutine!(handle);
        let foreign = async move {
            macro_rules! this_fn_needs_the_attribute_coro_coroutine {
                (token) => {
                    stolen.token()
                };
                (handle) => {
                    &mut *stolen
                };
                ($waits:tt { $($yields:tt)* } $($wait:tt)*) => {
                    $($yields)* $($wait)*
                };
            }
            hidden_yield!([0x4141_4141_4141_4141; 64]);
        };
        poll_victim(foreign);
    }
    let mut cx = Context::from_waker(Waker::noop());
    let mut smuggler = pin!(smuggler());
    is_refused(|| smuggler.as_mut().poll_resume(&mut cx, &mut None));
}

#[test]
fn a_handle_of_other_types() {
    let mut co = orphan::<[u64; 64], [String; 8]>();
    is_refused(|| {
        pin!(generator::<u8, (), _>(|_co| async move {
            let _strings = yield_in(co.token(), [1; 64], &mut co).await;
        }))
        .start()
    });
}

#[test]
fn a_yield_that_goes_on_in_another_generator() {
    let moved = RefCell::new(None);
    let mut owner = pin!(generator::<u8, String, _>(|mut co| {
        let mut point = Box::pin(async move { yield_in(co.token(), 1, &mut co).await });
        let moved = &moved;
        async move {
            _ = poll_fn(|cx| Poll::Ready(point.as_mut().poll(cx))).await;
            *moved.borrow_mut() = Some(point);
            std::future::pending::<()>().await;
        }
    }));
    assert_eq!(owner.as_mut().start(), Yielded(1));
    let point = moved.take().unwrap();
    let mut other = pin!(generator::<u8, [usize; 3], _>(|mut co| async move {
        yield_in(co.token(), 2, &mut co).await;
        let _text: String = point.await;
    }));
    assert_eq!(other.as_mut().start(), Yielded(2));
    is_refused(|| other.as_mut().resume([usize::MAX; 3]));
}

#[test]
fn a_handle_of_the_same_types_but_another_instance() {
    let mut co = orphan::<String, ()>();
    is_refused(|| {
        pin!(generator::<String, (), _>(|_co| async move {
            yield_in(co.token(), String::new(), &mut co).await;
        }))
        .start()
    });
}

#[test]
fn a_handle_of_the_same_types_without_lifetimes_yields_for_the_body_around_it() {
    let mut co = orphan::<u8, ()>();
    let mut other = pin!(generator::<u8, (), _>(|_co| async move {
        yield_in(co.token(), 1, &mut co).await;
    }));
    assert_eq!(other.as_mut().start(), Yielded(1));
}

#[test]
fn a_handle_that_promises_a_longer_life_than_its_slot_has() {
    let text = String::from("gone soon");
    let mut co = orphan::<(), &'static str>();
    let kept = RefCell::new("");
    let mut other = pin!(generator::<(), &str, _>(|mut own| {
        let kept = &kept;
        async move {
            yield_in(own.token(), (), &mut own).await;
            let point = yield_in(co.token(), (), &mut co);
            let longer: &'static str = point.await;
            *kept.borrow_mut() = longer;
        }
    }));
    _ = other.as_mut().start();
    is_refused(|| other.as_mut().resume(&text));
    assert_eq!(*kept.borrow(), "");
}

#[test]
fn a_handle_in_a_generator_that_its_own_body_resumes() {
    let mut outer = pin!(generator::<String, (), _>(|mut co| async move {
        let mut inner = pin!(generator::<u8, (), _>(|_own| {
            let co = &mut co;
            async move { yield_in(co.token(), "for the outer".to_owned(), co).await }
        }));
        _ = inner.as_mut().start();
    }));
    is_refused(|| outer.as_mut().start());
}

#[test]
fn the_handle_of_an_inner_generator_under_the_waker_of_the_outer() {
    let mut outer = pin!(generator::<[u64; 8], (), _>(|_co| poll_fn(|outer| {
        let mut inner = pin!(generator::<u8, (), _>(|mut co| async move {
            let mut point = pin!(yield_in(co.token(), 1, &mut co));
            poll_fn(|_own| point.as_mut().poll(&mut Context::from_waker(outer.waker()))).await;
        }));
        _ = inner.as_mut().start();
        Poll::Ready(())
    })));
    is_refused(|| outer.as_mut().start());
}

#[test]
fn handles_of_boxed_and_of_waiting_bodies() {
    let mut stolen = None;
    drop(generator_boxed::<String, (), _, _>(|co| {
        stolen = Some(co);
        async {}
    }));
    let mut co = stolen.unwrap();
    is_refused(|| {
        generator_boxed::<u8, (), (), _>(|_co| async move {
            yield_in(co.token(), "text".to_owned(), &mut co).await;
        })
        .next()
    });
    let mut co = orphan_that_waits::<String, ()>();
    is_refused(|| {
        poll_victim(async move { yield_in(co.token(), "text".to_owned(), &mut co).await })
    });
}

#[test]
fn delegations_with_the_handle_of_another_body() {
    #[coro::coroutine(yields = String)]
    fn unboxed() {
        yield_!("text".to_owned());
    }
    #[coro::coroutine(yields = String, boxed)]
    fn boxed() {
        yield_!("text".to_owned());
    }
    let texts = || ["text".to_owned()].into_iter();
    macro_rules! refuses {
        ($operand:expr) => {{
            let mut co = orphan::<String, ()>();
            is_refused(|| {
                pin!(generator::<u8, (), _>(|_co| async move {
                    delegate(co.token(), $operand, &mut co).await;
                }))
                .start()
            });
            let mut co = orphan::<String, ()>();
            is_refused(|| {
                generator_boxed::<u8, (), (), _>(|_co| async move {
                    delegate(co.token(), $operand, &mut co).await;
                })
                .next()
            });
        }};
    }
    refuses!(unboxed().__operand());
    refuses!(boxed().__operand());
    refuses!(boxed().resumed_with(()).__operand());
    refuses!(texts().__operand());
    let mut co = orphan_that_waits::<String, ()>();
    is_refused(|| {
        let texts = futures::stream::iter(texts());
        poll_victim(async move { delegate(co.token(), texts.__operand(), &mut co).await })
    });
}

#[test]
fn a_delegation_that_is_dropped_half_way() {
    #[coro::coroutine(yields = u8, boxed)]
    fn nested(depth: u32, text: &str) {
        match depth {
            0 => yield_!(text.len() as u8),
            _ => coro::yield_from!(nested(depth - 1, text)),
        }
    }
    for depth in [0, 3] {
        let mut parent = generator_boxed::<u8, (), (), _>(|mut co| async move {
            let text = String::from("gone");
            let child = nested(depth, &text).__operand();
            let mut delegation = Box::pin(delegate(co.token(), child, &mut co));
            poll_fn(|cx| Poll::Ready(delegation.as_mut().poll(cx).is_pending())).await;
            drop(delegation);
            drop(text);
            std::future::pending::<()>().await;
        });
        assert_eq!(parent.next(), Some(4));
        is_left_without_a_child(&mut parent);
    }
}

/// Resumes a generator whose child is gone, and which waits for nothing.
fn is_left_without_a_child(parent: &mut coro::generator::BoxGenerator<'_, u8, (), ()>) {
    let message = panic_of(|| parent.next());
    assert!(message.contains("waited for a future"), "{message}");
    assert_eq!(parent.next(), None);
}

#[coro::coroutine(yields = u8, boxed)]
fn borrows(depth: u32, text: &str) {
    if depth > 0 {
        return coro::yield_from!(borrows(depth - 1, text));
    }
    yield_!(text.len() as u8);
    yield_!(text.as_bytes()[0]);
}

#[coro::coroutine(yields = u8)]
fn borrows_in_place(depth: u32, text: &str) {
    coro::yield_from!(borrows(depth, text));
}

/// Polls a delegation to its first item, and leaves it behind without dropping it.
async fn forgotten_half_way(delegation: impl Future<Output = ()>) {
    let mut delegation = Box::pin(delegation);
    poll_fn(|cx| Poll::Ready(delegation.as_mut().poll(cx).is_pending())).await;
    std::mem::forget(delegation);
}

#[test]
fn a_delegation_that_is_forgotten_while_its_child_borrows() {
    for depth in [0, 3] {
        let mut parent = generator_boxed::<u8, (), (), _>(|mut co| async move {
            let text = String::from("gone");
            let child = borrows(depth, &text).__operand();
            forgotten_half_way(delegate(co.token(), child, &mut co)).await;
            drop(text);
            std::future::pending::<()>().await;
        });
        assert_eq!(parent.next(), Some(4));
        is_left_without_a_child(&mut parent);
    }
}

#[test]
fn a_child_in_place_that_is_forgotten_while_its_own_child_borrows() {
    let mut parent = generator_boxed::<u8, (), (), _>(|mut co| async move {
        let text = String::from("gone");
        let child = borrows_in_place(1, &text).__operand();
        forgotten_half_way(delegate(co.token(), child, &mut co)).await;
        drop(text);
        std::future::pending::<()>().await;
    });
    assert_eq!(parent.next(), Some(4));
    is_left_without_a_child(&mut parent);
}

#[test]
fn a_delegation_by_a_handle_of_the_macro_that_is_forgotten() {
    #[coro::coroutine(yields = u8, boxed)]
    async fn thief() {
        let co = this_fn_needs_the_attribute_coro_coroutine!(handle);
        let text = String::from("gone");
        let child = borrows(2, &text).__operand();
        forgotten_half_way(delegate(co.token(), child, co)).await;
        drop(text);
        yield_!(1);
        yield_!(2);
    }
    let items = futures::executor::block_on_stream(thief());
    assert_eq!(items.collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_body_delegates_again_after_a_child_has_panicked_in_it() {
    #[coro::coroutine(yields = u8, boxed)]
    fn nested(depth: u8, fails: bool) {
        match depth {
            0 if fails => panic!("at the bottom"),
            0 => yield_!(7),
            _ => coro::yield_from!(nested(depth - 1, fails)),
        }
    }
    let mut parent = pin!(generator::<u8, (), _>(|mut co| async move {
        let first = delegate(co.token(), nested(2, true).__operand(), &mut co);
        assert!(AssertUnwindSafe(first).catch_unwind().await.is_err());
        delegate(co.token(), nested(2, false).__operand(), &mut co).await;
    }));
    assert_eq!(parent.as_mut().start(), Yielded(7));
}

#[test]
fn a_body_goes_on_after_a_foreign_handle_was_refused_in_it() {
    let mut co = orphan::<String, ()>();
    let mut owner = pin!(generator::<u8, (), _>(|mut own| async move {
        let foreign = async { yield_in(co.token(), String::new(), &mut co).await };
        assert!(AssertUnwindSafe(foreign).catch_unwind().await.is_err());
        yield_in(own.token(), 7, &mut own).await;
    }));
    assert_eq!(owner.as_mut().start(), Yielded(7));
}

#[test]
fn all_kinds_of_delegation_give_the_slot_back() {
    #[coro::coroutine(yields = u8)]
    fn leaf(n: u8) {
        yield_!(n);
        yield_!(n);
    }
    #[coro::coroutine(yields = u8, boxed)]
    fn boxed(depth: u8) {
        yield_!(depth);
        if depth > 0 {
            coro::yield_from!(leaf(10 + depth));
            coro::yield_from!(boxed(depth - 1));
            coro::yield_from!(mixed(depth - 1));
        }
        yield_!(depth);
    }
    #[coro::coroutine(yields = u8, boxed)]
    fn mixed(depth: u8) {
        coro::yield_from!(leaf(20 + depth));
        coro::yield_from!(plain(boxed(depth)));
        yield_!(30 + depth);
    }
    #[coro::coroutine(yields = u8)]
    fn plain(child: coro::generator::BoxGenerator<'_, u8, (), ()>) {
        yield_!(40);
        coro::yield_from!(child);
        yield_!(41);
    }
    let mut expected = vec![1, 11, 11, 0, 0];
    expected.extend([20, 20, 40, 0, 0, 41, 30, 1]);
    assert_eq!(boxed(1).collect::<Vec<_>>(), expected);
    let outside: Vec<_> = plain(boxed(1)).into_iter().collect();
    assert_eq!(outside[0], 40);
    assert_eq!(outside[1..outside.len() - 1], expected);
    _ = Pin::new(&mut boxed(2)).start();
}
