//! `yield_from!` through nested coroutines, against plain `.await` through async functions.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::harness::{Bound, Case, Effort, Reading, Role, Sample, Suite, time};

/// How often the innermost future of a call is pending.
const WAITS: u32 = 100;

const PLAIN: &str = "async fn";

pub(crate) fn suite() -> Suite {
    Suite::new(
        "chain",
        "yield_from! through nested coroutines, against plain .await",
    )
    .case(case("1 deep", coroutines::c1, plain::c1))
    .case(case("8 deep", coroutines::c8, plain::c8))
    .case(case("64 deep", coroutines::c64, plain::c64))
    .case(boxed("1 deep, in a box", coroutines::c1, plain::c1))
    .case(boxed("8 deep, in a box", coroutines::c8, plain::c8))
    .case(boxed("64 deep, in a box", coroutines::c64, plain::c64))
}

fn case<C, P>(
    name: &'static str,
    coroutine: impl Fn(u32) -> C + Copy + 'static,
    plain: impl Fn(u32) -> P + Copy + 'static,
) -> Case
where
    C: Future<Output = u64> + 'static,
    P: Future<Output = u64> + 'static,
{
    Case::new(name, PLAIN)
        .subject(PLAIN, Role::Floor, move |effort| {
            Ok([times(effort, plain)?, size(plain)].concat())
        })
        .subject("yield_from!", Role::Coro, move |effort| {
            Ok([times(effort, coroutine)?, size(coroutine)].concat())
        })
        .goal_for("a resume", Bound::Times(1.02, PLAIN))
        .goal_for("a call that never waits", Bound::Times(1.02, PLAIN))
        .goal_for("size", Bound::Times(1.0, PLAIN))
}

/// The same future as a task keeps it: polled through a pointer whose type does not name it, so that
/// the compiler cannot know at the place of the poll where the future has stopped.
fn boxed<C, P>(
    name: &'static str,
    coroutine: impl Fn(u32) -> C + Copy + 'static,
    plain: impl Fn(u32) -> P + Copy + 'static,
) -> Case
where
    C: Future<Output = u64> + 'static,
    P: Future<Output = u64> + 'static,
{
    Case::new(name, PLAIN)
        .subject(PLAIN, Role::Floor, move |effort| {
            times(effort, move |waits| erased(plain(waits)))
        })
        .subject("yield_from!", Role::Coro, move |effort| {
            times(effort, move |waits| erased(coroutine(waits)))
        })
        .goal_for("a resume", Bound::Times(1.02, PLAIN))
        .goal_for("a call that never waits", Bound::Times(1.02, PLAIN))
}

fn erased(future: impl Future<Output = u64> + 'static) -> Pin<Box<dyn Future<Output = u64>>> {
    black_box(Box::pin(future))
}

fn times<F: Future<Output = u64>>(effort: &Effort, make: impl Fn(u32) -> F) -> Sample {
    let resumes = effort.count(500_000);
    let calls = resumes / u64::from(WAITS);
    let waiting = time(resumes, || {
        (0..calls).for_each(|_| complete(make(black_box(WAITS))))
    })?;
    let calls = resumes / 5;
    let ready = time(calls, || {
        (0..calls).for_each(|_| complete(make(black_box(0))))
    })?;
    let named = |what, readings: Vec<Reading>| {
        let values = readings
            .into_iter()
            .flat_map(|reading| reading.values)
            .collect();
        Reading::new(what, "ns", values)
    };
    Ok(vec![
        named("a resume", waiting),
        named("a call that never waits", ready),
    ])
}

fn size<F: Future<Output = u64>>(make: impl Fn(u32) -> F) -> Vec<Reading> {
    vec![Reading::one("size", "bytes", size_of_val(&make(0)) as f64)]
}

/// Polls until the end, like a loop that has no other task.
fn complete(future: impl Future<Output = u64>) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            black_box(output);
            return;
        }
    }
}

/// Pending this number of times, then ready.
struct Waits(u32);

impl Future for Waits {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        match self.0.checked_sub(1) {
            None => Poll::Ready(black_box(1)),
            Some(left) => {
                self.0 = left;
                Poll::Pending
            }
        }
    }
}

/// The same chain of functions twice, once in each notation.
macro_rules! chains {
    ($($name:ident calls $next:ident,)*) => {
        mod coroutines {
            use super::Waits as end;
            $(#[coro::coroutine]
            pub(super) fn $name(waits: u32) -> u64 {
                coro::yield_from!($next(waits)) + 1
            })*
        }

        mod plain {
            use super::Waits as end;
            $(pub(super) async fn $name(waits: u32) -> u64 {
                $next(waits).await + 1
            })*
        }
    };
}

chains! {
    c1 calls end,
    c2 calls c1,
    c3 calls c2,
    c4 calls c3,
    c5 calls c4,
    c6 calls c5,
    c7 calls c6,
    c8 calls c7,
    c9 calls c8,
    c10 calls c9,
    c11 calls c10,
    c12 calls c11,
    c13 calls c12,
    c14 calls c13,
    c15 calls c14,
    c16 calls c15,
    c17 calls c16,
    c18 calls c17,
    c19 calls c18,
    c20 calls c19,
    c21 calls c20,
    c22 calls c21,
    c23 calls c22,
    c24 calls c23,
    c25 calls c24,
    c26 calls c25,
    c27 calls c26,
    c28 calls c27,
    c29 calls c28,
    c30 calls c29,
    c31 calls c30,
    c32 calls c31,
    c33 calls c32,
    c34 calls c33,
    c35 calls c34,
    c36 calls c35,
    c37 calls c36,
    c38 calls c37,
    c39 calls c38,
    c40 calls c39,
    c41 calls c40,
    c42 calls c41,
    c43 calls c42,
    c44 calls c43,
    c45 calls c44,
    c46 calls c45,
    c47 calls c46,
    c48 calls c47,
    c49 calls c48,
    c50 calls c49,
    c51 calls c50,
    c52 calls c51,
    c53 calls c52,
    c54 calls c53,
    c55 calls c54,
    c56 calls c55,
    c57 calls c56,
    c58 calls c57,
    c59 calls c58,
    c60 calls c59,
    c61 calls c60,
    c62 calls c61,
    c63 calls c62,
    c64 calls c63,
}
