//! Properties that coroutines share with the `async fn` they replace: drop order, size, laziness.

use coro::{yield_, yield_from};
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Records the order in which values are dropped.
#[derive(Clone, Default)]
struct Graveyard(Arc<Mutex<Vec<&'static str>>>);

struct Mortal(&'static str, Graveyard);

impl Drop for Mortal {
    fn drop(&mut self) {
        self.1.0.lock().unwrap().push(self.0);
    }
}

impl Graveyard {
    fn mortal(&self, name: &'static str) -> Mortal {
        Mortal(name, self.clone())
    }

    fn pair(&self) -> (Mortal, Mortal) {
        (self.mortal("left"), self.mortal("right"))
    }

    fn note(&self, name: &'static str) {
        self.0.lock().unwrap().push(name);
    }

    fn buried(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// Pending once.
struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

fn poll(future: impl Future, times: usize) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
    }
}

/// The same function as an `async fn` and as every form of coroutine that waits.
macro_rules! every_form {
    (fn $name:ident($($args:tt)*) $body:block) => {
        #[allow(clippy::toplevel_ref_arg, reason = "a form that users may write")]
        mod $name {
            use super::*;

            pub(super) async fn reference($($args)*) $body

            #[coro::coroutine]
            pub(super) fn plain($($args)*) $body

            #[coro::coroutine]
            pub(super) async fn already_async($($args)*) $body

            #[coro::coroutine(send)]
            pub(super) fn sent($($args)*) $body

            #[coro::coroutine(boxed)]
            pub(super) fn boxed($($args)*) $body

            #[coro::coroutine(boxed, send)]
            pub(super) fn boxed_and_sent($($args)*) $body
        }
    };
}

every_form! {
    fn used(first: Mortal, (left, right): (Mortal, Mortal), _: Mortal, ref last: Mortal) {
        let local = last.1.mortal("local");
        Once(false).await;
        drop(left);
        local.1.note("end");
        let _used = (&first, &right);
    }
}

every_form! {
    fn unused(_first: Mortal, (_left, _): (Mortal, Mortal), _: Mortal, last @ Mortal(..): Mortal) {
        Once(false).await;
        let _ = last;
    }
}

every_form! {
    fn tail(first: Mortal, pair: (Mortal, Mortal), _: Mortal, last: Mortal) {
        let local = last.1.mortal("local");
        let _ = (&first, &pair, &local);
        match last.1.mortal("temporary").1.buried().len() {
            usize::MAX => unreachable!(),
            _ => Once(false).await,
        }
    }
}

fn order(times: usize, call: impl FnOnce(&Graveyard, usize)) -> Vec<&'static str> {
    let graveyard = Graveyard::default();
    call(&graveyard, times);
    graveyard.buried()
}

macro_rules! same_order {
    ($($function:ident)*) => {$(
        for times in 0..3 {
            macro_rules! of {
                ($form:ident) => {
                    order(times, |g, times| {
                        let (first, other, last) = (g.mortal("first"), g.mortal("_"), g.mortal("last"));
                        poll($function::$form(first, g.pair(), other, last), times);
                    })
                };
            }
            let reference = of!(reference);
            assert!(reference.len() >= 5, "{reference:?}");
            assert_eq!(of!(plain), reference, "plain, polled {times} times");
            assert_eq!(of!(already_async), reference, "async, polled {times} times");
            assert_eq!(of!(sent), reference, "sent, polled {times} times");
            assert_eq!(of!(boxed), reference, "boxed, polled {times} times");
            assert_eq!(of!(boxed_and_sent), reference, "boxed and sent, polled {times} times");
        }
    )*};
}

#[test]
fn arguments_die_in_the_order_of_an_async_fn() {
    same_order!(used unused tail);
}

/// A receiver that owns a `Mortal`.
struct Scheduler {
    _mortal: Mortal,
}

impl Scheduler {
    async fn reference(self, _first: Mortal, (_left, _): (Mortal, Mortal)) {
        Once(false).await;
    }

    #[coro::coroutine]
    fn plain(self, _first: Mortal, (_left, _): (Mortal, Mortal)) {
        yield_from!(Once(false));
    }

    #[coro::coroutine(send)]
    fn sent(self, _first: Mortal, (_left, _): (Mortal, Mortal)) {
        yield_from!(Once(false));
    }

    #[coro::coroutine(boxed)]
    fn boxed(self, _first: Mortal, (_left, _): (Mortal, Mortal)) {
        yield_from!(Once(false));
    }

    #[coro::coroutine(yields = ())]
    fn generator(self, _first: Mortal, (_left, _): (Mortal, Mortal)) {
        yield_!();
    }
}

#[test]
fn the_receiver_dies_when_that_of_an_async_fn_does() {
    for times in 0..3 {
        macro_rules! of {
            ($form:ident) => {
                order(times, |g, times| {
                    let owner = Scheduler {
                        _mortal: g.mortal("self"),
                    };
                    poll(owner.$form(g.mortal("first"), g.pair()), times);
                })
            };
        }
        assert_eq!(of!(plain), of!(reference), "plain, polled {times} times");
        assert_eq!(of!(sent), of!(reference), "sent, polled {times} times");
        assert_eq!(of!(boxed), of!(reference), "boxed, polled {times} times");
        let generator = order(times, |g, times| {
            let owner = Scheduler {
                _mortal: g.mortal("self"),
            };
            let mut generator = pin!(owner.generator(g.mortal("first"), g.pair()));
            generator.as_mut().iter().take(times).for_each(drop);
        });
        assert_eq!(
            generator,
            of!(reference),
            "a generator, resumed {times} times"
        );
    }
}

#[test]
fn arguments_of_a_generator_die_in_the_order_of_an_async_fn() {
    #[coro::coroutine(yields = ())]
    fn generator(first: Mortal, (left, right): (Mortal, Mortal), _: Mortal, ref last: Mortal) {
        let local = last.1.mortal("local");
        yield_!();
        drop(left);
        local.1.note("end");
        let _used = (&first, &right);
    }
    for times in 0..3 {
        let arguments =
            |g: &Graveyard| (g.mortal("first"), g.pair(), g.mortal("_"), g.mortal("last"));
        let reference = order(times, |g, times| {
            let (first, pair, other, last) = arguments(g);
            poll(used::reference(first, pair, other, last), times);
        });
        let generator = order(times, |g, times| {
            let (first, pair, other, last) = arguments(g);
            let mut generator = pin!(generator(first, pair, other, last));
            generator.as_mut().iter().take(times).for_each(drop);
        });
        assert_eq!(generator, reference, "resumed {times} times");
    }
}

#[test]
fn temporaries_of_an_operand_live_as_long_as_those_of_await() {
    fn later(_: &Mortal) -> Once {
        Once(false)
    }

    async fn reference(g: Graveyard) {
        later(&g.mortal("operand")).await;
        g.note("next");
        match later(&g.mortal("scrutinee")).await {
            () if g.buried().is_empty() => unreachable!(),
            () => g.note("arm"),
        }
        let () = later(&g.mortal("let")).await;
        g.note("after let");
        if let (Some(_), ()) = (Some(g.mortal("if")), later(&g.mortal("condition")).await) {
            g.note("then");
        }
        later(&g.mortal("tail")).await
    }

    #[coro::coroutine]
    fn coroutine(g: Graveyard) {
        yield_from!(later(&g.mortal("operand")));
        g.note("next");
        match yield_from!(later(&g.mortal("scrutinee"))) {
            () if g.buried().is_empty() => unreachable!(),
            () => g.note("arm"),
        }
        let () = yield_from!(later(&g.mortal("let")));
        g.note("after let");
        if let (Some(_), ()) = (
            Some(g.mortal("if")),
            yield_from!(later(&g.mortal("condition"))),
        ) {
            g.note("then");
        }
        yield_from!(later(&g.mortal("tail")))
    }

    for times in 0..8 {
        let expected = order(times, |g, times| poll(reference(g.clone()), times));
        let found = order(times, |g, times| poll(coroutine(g.clone()), times));
        assert_eq!(found, expected, "polled {times} times");
    }
}

mod sizes {
    use super::*;

    pub(super) struct Service(pub(super) u64);

    impl Service {
        pub(super) async fn reference(&self, name: &str, more: [u8; 100]) -> u64 {
            Once(false).await;
            self.0 + name.len() as u64 + u64::from(more[0])
        }

        #[coro::coroutine]
        pub(super) fn coroutine(&self, name: &str, more: [u8; 100]) -> u64 {
            yield_from!(Once(false));
            self.0 + name.len() as u64 + u64::from(more[0])
        }

        #[coro::coroutine(send)]
        pub(super) fn sent(&self, name: &str, more: [u8; 100]) -> u64 {
            yield_from!(Once(false));
            self.0 + name.len() as u64 + u64::from(more[0])
        }
    }

    macro_rules! chain {
        ($($name:ident calls $next:ident;)*) => {
            pub(super) mod reference {
                use super::*;
                $(pub(in super::super) async fn $name(x: u64) -> u64 {
                    let kept = x + 1;
                    $next(x).await + kept
                })*
            }
            pub(super) mod coroutine {
                use super::*;
                $(#[coro::coroutine]
                pub(in super::super) fn $name(x: u64) -> u64 {
                    let kept = x + 1;
                    yield_from!($next(x)) + kept
                })*
            }
        };
    }

    chain! {
        one calls ready;
        two calls one;
        three calls two;
        four calls three;
    }

    pub(super) async fn reference(first: String, (a, b): (u64, Box<u64>), _: [u64; 4]) -> u64 {
        let before = ready(a).await;
        let x = Once(false).await;
        let y = { reference::two(before).await };
        let () = x;
        y + *b + first.len() as u64
    }

    #[coro::coroutine]
    pub(super) fn coroutine(first: String, (a, b): (u64, Box<u64>), _: [u64; 4]) -> u64 {
        let before = yield_from!(ready(a));
        let x = yield_from!(Once(false));
        let y = { yield_from!(coroutine::two(before)) };
        let () = x;
        y + *b + first.len() as u64
    }

    #[coro::coroutine(send)]
    pub(super) fn sent(first: String, (a, b): (u64, Box<u64>), _: [u64; 4]) -> u64 {
        let before = yield_from!(ready(a));
        let x = yield_from!(Once(false));
        let y = { yield_from!(coroutine::two(before)) };
        let () = x;
        y + *b + first.len() as u64
    }
}

#[test]
fn a_coroutine_is_as_big_as_the_async_fn() {
    macro_rules! same_size {
        ($($args:tt)*) => {
            assert_eq!(size_of_val(&sizes::coroutine $($args)*), size_of_val(&sizes::reference $($args)*));
        };
    }
    same_size!((String::new(), (1, Box::new(1)), [0; 4]));
    same_size!(::one(1));
    same_size!(::two(1));
    same_size!(::three(1));
    same_size!(::four(1));
    let service = sizes::Service(1);
    let reference = size_of_val(&service.reference("a", [0; 100]));
    assert_eq!(size_of_val(&service.coroutine("a", [0; 100])), reference);
}

#[test]
fn a_promise_of_send_costs_no_byte() {
    let (coroutine, sent) = (sizes::coroutine, sizes::sent);
    let arguments = || (String::new(), (1, Box::new(1)), [0; 4]);
    let (a, b, c) = arguments();
    let (d, e, f) = arguments();
    assert_eq!(
        size_of_val(&sent(a, b, c)),
        size_of_val(&coroutine(d, e, f))
    );
    let service = sizes::Service(1);
    let sent = size_of_val(&service.sent("a", [0; 100]));
    assert!(sent <= size_of_val(&service.coroutine("a", [0; 100])));
}

#[test]
fn a_coroutine_is_lazy() {
    let graveyard = Graveyard::default();

    #[coro::coroutine]
    fn coroutine(g: Graveyard) {
        g.note("begun");
    }

    drop(coroutine(graveyard.clone()));
    assert_eq!(graveyard.buried(), [""; 0]);
    poll(coroutine(graveyard.clone()), 1);
    assert_eq!(graveyard.buried(), ["begun"]);
}
