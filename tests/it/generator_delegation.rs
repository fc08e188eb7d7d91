//! Delegation as PEP 380 defines it, to every kind of operand.

use std::pin::{Pin, pin};

use coro::CoroutineState::{Complete, Yielded};
use coro::generator::{BoxGenerator, SendBoxGenerator};
use coro::{Coroutine, CoroutineState, yield_, yield_from};

use crate::generator::Log;

type Heard = Result<u32, &'static str>;

/// Yields `base` plus the last number sent, until it is sent 0.
#[coro::coroutine(yields = u32, resumes = u32)]
fn adder(base: u32) -> u32 {
    let mut sent = 0;
    let mut rounds = 0;
    loop {
        sent = yield_!(base + sent);
        if sent == 0 {
            return rounds;
        }
        rounds += 1;
    }
}

#[coro::coroutine(yields = u32, resumes = u32, boxed)]
fn boxed_adder(base: u32) -> u32 {
    yield_from!(adder(base))
}

fn resume_all<C: Coroutine>(
    mut coroutine: Pin<&mut C>,
    values: impl IntoIterator<Item = C::Resume>,
) -> Vec<CoroutineState<C::Yield, C::Return>> {
    let mut states = vec![coroutine.as_mut().start()];
    for value in values {
        states.push(coroutine.as_mut().resume(value));
    }
    states
}

#[test]
fn values_pass_both_ways_and_the_return_value_comes_out() {
    #[coro::coroutine(yields = u32, resumes = u32)]
    fn both() -> (u32, u32) {
        (yield_from!(adder(10)), yield_from!(boxed_adder(20)))
    }
    let states = resume_all(pin!(both()), [1, 2, 0, 3, 0]);
    assert_eq!(
        states,
        [
            Yielded(10),
            Yielded(11),
            Yielded(12),
            Yielded(20),
            Yielded(23),
            Complete((2, 1))
        ]
    );
}

#[test]
fn a_child_that_yields_nothing_does_not_suspend_its_parent() {
    #[coro::coroutine(yields = u32)]
    fn nothing() -> u32 {
        7
    }
    #[coro::coroutine(yields = u32, boxed)]
    fn boxed_nothing() -> u32 {
        8
    }
    #[coro::coroutine(yields = u32)]
    fn parent() {
        let sum = yield_from!(nothing()) + yield_from!(boxed_nothing());
        yield_from!(std::iter::empty::<u32>());
        yield_!(sum);
    }
    assert_eq!(parent().into_iter().collect::<Vec<_>>(), [15]);
}

#[test]
fn iterators_yield_their_items() {
    #[coro::coroutine(yields = u32)]
    fn all(mut borrowed: impl Iterator<Item = u32>, object: &mut dyn Iterator<Item = u32>) {
        yield_from!(0..3);
        yield_from!(vec![7, 8].into_iter());
        yield_from!(&mut borrowed);
        yield_from!(object);
        yield_from!(Box::new(20..22_u32) as Box<dyn Iterator<Item = u32>>);
    }
    let items: Vec<u32> = all(10..12, &mut (15..16)).into_iter().collect();
    assert_eq!(items, [0, 1, 2, 7, 8, 10, 11, 15, 20, 21]);
}

#[test]
fn any_coroutine_is_resumed_and_its_values_yielded_again() {
    #[coro::coroutine(yields = u32, resumes = u32)]
    fn parent<C: Coroutine<Yield = u32, Resume = u32>>(child: C) -> C::Return {
        yield_from!(child)
    }
    let expected = [Yielded(10), Yielded(11), Yielded(12), Complete(2)];
    assert_eq!(resume_all(pin!(parent(adder(10))), [1, 2, 0]), expected);
    assert_eq!(
        resume_all(pin!(parent(boxed_adder(10))), [1, 2, 0]),
        expected
    );
    assert_eq!(
        resume_all(pin!(parent(pin!(adder(10)))), [1, 2, 0]),
        expected
    );
    assert_eq!(
        resume_all(pin!(parent(&mut boxed_adder(10))), [1, 2, 0]),
        expected
    );
    let object: Pin<Box<dyn Coroutine<Yield = u32, Resume = u32, Return = u32>>> =
        Box::pin(adder(10));
    assert_eq!(resume_all(pin!(parent(object)), [1, 2, 0]), expected);
}

#[test]
fn delegation_in_place_is_transitive() {
    #[coro::coroutine(yields = u32, resumes = u32)]
    fn middle() -> u32 {
        let rounds = yield_from!(adder(1));
        yield_!(100 + rounds);
        rounds
    }
    #[coro::coroutine(yields = u32, resumes = u32)]
    fn outer() -> u32 {
        yield_from!(middle()) + yield_from!(middle())
    }
    let states = resume_all(pin!(outer()), [5, 0, 9, 0, 9]);
    assert_eq!(states[..3], [Yielded(1), Yielded(6), Yielded(101)]);
    assert_eq!(states[3..], [Yielded(1), Yielded(100), Complete(1)]);
}

#[test]
fn an_error_reaches_the_innermost_coroutine_first_and_then_its_parents() {
    #[coro::coroutine(yields = &'static str, resumes = Heard, boxed)]
    fn inner() -> Heard {
        match yield_!("inner") {
            Err("mine") => yield_!("caught inside"),
            other => other,
        }
    }
    #[coro::coroutine(yields = &'static str, resumes = Heard)]
    fn outer() -> Heard {
        loop {
            match yield_from!(inner()) {
                Err("ours") => _ = yield_!("caught outside"),
                other => return other,
            }
        }
    }
    let mut outer = pin!(outer());
    assert_eq!(outer.as_mut().start(), Yielded("inner"));
    assert_eq!(outer.as_mut().throw("mine"), Yielded("caught inside"));
    assert_eq!(outer.as_mut().throw("ours"), Yielded("caught outside"));
    assert_eq!(outer.as_mut().send(0), Yielded("inner"));
    assert_eq!(outer.as_mut().throw("nobody's"), Complete(Err("nobody's")));
}

#[coro::coroutine(yields = u32, boxed)]
fn nested(depth: u32, log: Log) -> u32 {
    let _local = log.on_drop(["d0", "d1", "d2", "d3"][depth as usize]);
    yield_!(depth);
    let below = match depth {
        0 => 0,
        _ => yield_from!(nested(depth - 1, log.clone())),
    };
    yield_!(10 + depth);
    below + 1
}

#[test]
fn boxed_children_delegate_to_any_depth() {
    let mut root = nested(3, Log::default());
    let mut iter = Pin::new(&mut root).iter();
    assert_eq!(
        iter.by_ref().collect::<Vec<_>>(),
        [3, 2, 1, 0, 10, 11, 12, 13]
    );
    assert_eq!(iter.into_return(), Some(4));
}

#[test]
fn close_passes_the_innermost_child_first_wherever_the_chain_stands() {
    for items in 0..=8 {
        let log = Log::default();
        let mut root = nested(3, log.clone());
        assert_eq!(Pin::new(&mut root).iter().take(items).count(), items);
        log.take();
        Pin::new(&mut root).close();
        let depth_reached = items.min(4);
        let already_gone = items.saturating_sub(5).min(4);
        let expected = &["d3", "d2", "d1", "d0"][..depth_reached];
        let expected: Vec<_> = expected.iter().rev().skip(already_gone).copied().collect();
        assert_eq!(log.take(), expected, "after {items} items");
        assert_eq!(Pin::new(&mut root).iter().next(), None);
    }
}

#[test]
fn dropping_a_chain_drops_the_innermost_first() {
    let log = Log::default();
    let mut root = nested(3, log.clone());
    assert_eq!(Pin::new(&mut root).iter().take(4).count(), 4);
    drop(root);
    assert_eq!(log.take(), ["d0", "d1", "d2", "d3"]);
}

#[test]
fn a_chain_may_pass_through_bodies_that_are_not_boxed() {
    #[coro::coroutine(yields = u32, boxed)]
    fn down(n: u32) {
        yield_!(n);
        if n > 0 {
            yield_from!(between(n));
        }
    }
    #[coro::coroutine(yields = u32)]
    fn between(n: u32) {
        yield_!(1000 + n);
        yield_from!(down(n - 1));
        yield_!(2000 + n);
    }
    #[coro::coroutine(yields = u32)]
    fn root() {
        yield_from!(between(2));
        yield_from!(down(0));
    }
    let items: Vec<u32> = root().into_iter().collect();
    assert_eq!(items, [1002, 1, 1001, 0, 2001, 2002, 0]);
}

#[test]
fn a_chain_that_is_started_may_move_and_be_delegated_to() {
    #[coro::coroutine(yields = u32, boxed)]
    fn parent(child: BoxGenerator<'static, u32, (), u32>) -> u32 {
        let depth = yield_from!(child);
        yield_from!(nested(1, Log::default())) + depth
    }
    let mut child = nested(3, Log::default());
    assert_eq!(
        Pin::new(&mut child).iter().take(2).collect::<Vec<_>>(),
        [3, 2]
    );
    let moved = Box::new(child);
    let mut parent = parent(*moved);
    let mut iter = Pin::new(&mut parent).iter();
    let rest = [1, 0, 10, 11, 12, 13, 1, 0, 10, 11];
    assert_eq!(iter.by_ref().collect::<Vec<_>>(), rest);
    assert_eq!(iter.into_return(), Some(6));
}

#[test]
fn a_started_coroutine_goes_on_where_it_stands() {
    #[coro::coroutine(yields = u32)]
    fn parent(child: &mut dyn Iterator<Item = u32>, pinned: BoxGenerator<'_, u32, (), u32>) {
        yield_from!(child);
        yield_from!(pinned);
    }
    let mut child = nested(0, Log::default());
    assert_eq!(Pin::new(&mut child).start(), Yielded(0));
    let items: Vec<u32> = parent(&mut (5..6), child).into_iter().collect();
    assert_eq!(items, [5, 10]);
}

#[test]
fn a_started_two_way_coroutine_brings_its_first_value_along() {
    #[coro::coroutine(yields = u32, resumes = u32)]
    fn parent(child: BoxGenerator<'static, u32, u32, u32>) -> u32 {
        yield_from!(child.resumed_with(5))
    }
    let mut child = boxed_adder(10);
    assert_eq!(Pin::new(&mut child).start(), Yielded(10));
    let states = resume_all(pin!(parent(child)), [6, 0]);
    assert_eq!(states, [Yielded(15), Yielded(16), Complete(2)]);
}

#[test]
fn depth_costs_no_stack() {
    #[coro::coroutine(yields = u32, boxed)]
    fn deep(n: u32) -> u64 {
        yield_!(n);
        match n {
            0 => 0,
            _ => yield_from!(deep(n - 1)) + 1,
        }
    }
    // Each runs on a small stack. A call per level would overflow it at a hundredth of the depth.
    let run = |f: fn()| {
        std::thread::Builder::new()
            .stack_size(128 * 1024)
            .spawn(f)
            .unwrap()
            .join()
            .unwrap();
    };
    run(|| {
        let mut root = deep(100_000);
        let mut iter = Pin::new(&mut root).iter();
        assert_eq!(iter.by_ref().count(), 100_001);
        assert_eq!(iter.into_return(), Some(100_000));
    });
    run(|| {
        let mut root = deep(100_000);
        assert_eq!(Pin::new(&mut root).iter().take(90_000).count(), 90_000);
    });
}

#[test]
fn a_boxed_chain_may_borrow_from_the_frames_above_it() {
    struct Tree(Vec<Tree>, &'static str);

    #[coro::coroutine(yields = String, boxed)]
    fn paths(tree: &Tree, above: &str) {
        let here = format!("{above}/{}", tree.1);
        yield_!(here.clone());
        for child in &tree.0 {
            yield_from!(paths(child, &here));
        }
    }
    let leaf = |name| Tree(vec![], name);
    let tree = Tree(vec![Tree(vec![leaf("c"), leaf("d")], "b"), leaf("e")], "a");
    let found: Vec<String> = paths(&tree, "").collect();
    assert_eq!(found, ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e"]);
}

#[test]
fn a_chain_that_promises_send_changes_threads_between_items() {
    #[coro::coroutine(yields = u32, boxed, send)]
    fn deep(n: u32) {
        yield_!(n);
        if n > 0 {
            yield_from!(deep(n - 1));
        }
    }
    let mut chain: SendBoxGenerator<'static, u32, (), ()> = deep(50);
    for n in (0..=50).rev() {
        let item;
        (chain, item) = std::thread::spawn(move || {
            let item = chain.next();
            (chain, item)
        })
        .join()
        .unwrap();
        assert_eq!(item, Some(n));
    }
    assert_eq!(chain.next(), None);
}
