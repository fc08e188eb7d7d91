//! Random trees of groups, cut at a random poll, beside plain counts.
//!
//! A tree says which futures wait for which, and how its leaves wait. In every tree, each leaf that
//! was made is dropped exactly once, and is not polled again when it is done or after its root has
//! ended. The root has the value that plain recursion gives. A root that is dropped in between
//! drops all its leaves.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::group::{Policy, map_concurrent};
use coro::{TaskGroup, call_later, gather, scope, sleep, spawn, timeout, try_gather, try_scope};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{ms, turns, virtual_loop};

#[derive(Clone, Copy, Debug)]
enum Wait {
    /// For the next turn.
    Turn,
    /// For a timer.
    Timer(u64),
}

#[derive(Clone, Debug)]
enum Tree {
    Leaf { waits: Vec<Wait>, fails: bool },
    Gather(Vec<Tree>),
    TryGather(Vec<Tree>),
    Scope(Vec<Tree>),
    TryScope(Vec<Tree>),
    Collect(Vec<Tree>),
    Map(usize, Vec<Tree>),
    Group(Vec<Tree>),
    Task(Box<Tree>),
}

/// The number of leaves that are done, if all leaves that have to succeed do.
type Value = Result<usize, ()>;

/// Counts of the events of the leaves.
#[derive(Default)]
struct Counts {
    made: Cell<usize>,
    dropped: Cell<usize>,
    polls: Cell<usize>,
}

fn increment(count: &Cell<usize>) {
    count.set(count.get() + 1);
}

struct Leaf {
    waits: std::vec::IntoIter<Wait>,
    fails: bool,
    done: bool,
    counts: Rc<Counts>,
}

impl Leaf {
    fn new(waits: Vec<Wait>, fails: bool, counts: &Rc<Counts>) -> Self {
        increment(&counts.made);
        Leaf {
            waits: waits.into_iter(),
            fails,
            done: false,
            counts: counts.clone(),
        }
    }
}

impl Future for Leaf {
    type Output = Value;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        assert!(!self.done, "polled again after its end");
        increment(&self.counts.polls);
        match self.waits.next() {
            None => {
                self.done = true;
                return Poll::Ready(if self.fails { Err(()) } else { Ok(1) });
            }
            Some(Wait::Turn) => cx.waker().wake_by_ref(),
            Some(Wait::Timer(millis)) => {
                let waker = cx.waker().clone();
                call_later(ms(millis), move || waker.wake());
            }
        }
        Poll::Pending
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        increment(&self.counts.dropped);
    }
}

type Run = Pin<Box<dyn Future<Output = Value>>>;

fn run(tree: Tree, counts: &Rc<Counts>) -> Run {
    let counts = counts.clone();
    let all = |trees: Vec<Tree>| -> Vec<Run> {
        trees.into_iter().map(|tree| run(tree, &counts)).collect()
    };
    match tree {
        Tree::Leaf { waits, fails } => Box::pin(Leaf::new(waits, fails, &counts)),
        Tree::Gather(trees) => {
            let all = all(trees);
            Box::pin(async { Ok(sum(gather(all).await)) })
        }
        Tree::TryGather(trees) => {
            let all = all(trees);
            Box::pin(async { Ok(try_gather(all).await?.into_iter().sum()) })
        }
        Tree::Scope(trees) => Box::pin(in_scope(all(trees))),
        Tree::TryScope(trees) => Box::pin(in_try_scope(Policy::AllSucceed, all(trees))),
        Tree::Collect(trees) => Box::pin(in_try_scope(Policy::Collect, all(trees))),
        Tree::Map(limit, trees) => {
            let one = move |tree| run(tree, &counts);
            Box::pin(async move { Ok(sum(map_concurrent(trees, limit, one).await)) })
        }
        Tree::Group(trees) => Box::pin(in_group(all(trees))),
        Tree::Task(tree) => {
            let one = run(*tree, &counts);
            Box::pin(async { spawn(one).cancel_on_drop().await.unwrap() })
        }
    }
}

fn sum(values: Vec<Value>) -> usize {
    values.into_iter().flatten().sum()
}

/// The last child is awaited by a sibling, the others by the body, or by none.
async fn in_scope(all: Vec<Run>) -> Value {
    let done = Cell::new(0);
    let done = &done;
    scope(async |s| {
        let children = all.into_iter().map(|child| {
            s.spawn(async move {
                let value = child.await;
                done.set(done.get() + value.unwrap_or(0));
            })
        });
        let mut children: Vec<_> = children.collect();
        if let Some(last) = children.pop() {
            s.spawn(last);
        }
        if children.len() > 1 {
            children.remove(0).await;
        }
    })
    .await;
    Ok(done.get())
}

async fn in_try_scope(policy: Policy, all: Vec<Run>) -> Value {
    let done = Cell::new(0);
    let done = &done;
    let outcome = try_scope(async |s| {
        s.policy(policy);
        for child in all {
            s.try_spawn(async move {
                let value = child.await?;
                done.set(done.get() + value);
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    outcome.await.map_err(|_| ())?;
    Ok(done.get())
}

async fn in_group(all: Vec<Run>) -> Value {
    let group = TaskGroup::fallible();
    let tasks: Vec<_> = all
        .into_iter()
        .map(|child| group.try_spawn(child).unwrap())
        .collect();
    group.join().await.map_err(|_| ())?;
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    Ok(done)
}

/// The value by plain recursion.
fn value(tree: &Tree) -> Value {
    let all = |trees: &[Tree]| trees.iter().map(value).collect::<Vec<_>>();
    match tree {
        Tree::Leaf { fails, .. } => {
            if *fails {
                Err(())
            } else {
                Ok(1)
            }
        }
        Tree::Gather(trees) | Tree::Scope(trees) | Tree::Map(_, trees) => Ok(sum(all(trees))),
        Tree::TryGather(trees)
        | Tree::TryScope(trees)
        | Tree::Collect(trees)
        | Tree::Group(trees) => all(trees).into_iter().sum(),
        Tree::Task(tree) => value(tree),
    }
}

/// The waits of all leaves, the levels above each, and the nodes: a root needs no more polls.
fn polls_at_most(tree: &Tree) -> usize {
    match tree {
        Tree::Leaf { waits, .. } => 2 + waits.len(),
        Tree::Gather(trees)
        | Tree::TryGather(trees)
        | Tree::Scope(trees)
        | Tree::TryScope(trees)
        | Tree::Collect(trees)
        | Tree::Map(_, trees)
        | Tree::Group(trees) => {
            4 + trees
                .iter()
                .map(|tree| polls_at_most(tree) + 2)
                .sum::<usize>()
        }
        Tree::Task(tree) => 3 + polls_at_most(tree),
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let wait = prop_oneof![Just(Wait::Turn), (1_u64..4).prop_map(Wait::Timer)];
    let leaf = (vec(wait, 0..4), prop::bool::weighted(0.15))
        .prop_map(|(waits, fails)| Tree::Leaf { waits, fails });
    leaf.prop_recursive(4, 60, 6, |tree| {
        let some = vec(tree.clone(), 0..6);
        // More than thirty members have wakers of their own.
        let many = vec(tree.clone(), 31..36);
        prop_oneof![
            4 => some.clone().prop_map(Tree::Gather),
            1 => many.prop_map(Tree::Gather),
            3 => some.clone().prop_map(Tree::TryGather),
            4 => some.clone().prop_map(Tree::Scope),
            4 => some.clone().prop_map(Tree::TryScope),
            2 => some.clone().prop_map(Tree::Collect),
            4 => (1_usize..4, some.clone()).prop_map(|(limit, trees)| Tree::Map(limit, trees)),
            4 => some.prop_map(Tree::Group),
            2 => tree.prop_map(|tree| Tree::Task(Box::new(tree))),
        ]
    })
}

/// Counts the polls of a future.
struct Polled<F>(Pin<Box<F>>, Rc<Cell<usize>>);

impl<F: Future> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        increment(&self.1);
        self.0.as_mut().poll(cx)
    }
}

/// Ends without a value after this number of polls, or when it is woken after them.
struct Cut<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
    when_woken: bool,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let when_woken = self.when_woken;
        if self.polls > 0 {
            self.polls -= 1;
            let future = self.future.as_mut().expect("polled after its end");
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            if self.polls > 0 || when_woken {
                return Poll::Pending;
            }
        }
        self.future = None;
        Poll::Ready(None)
    }
}

/// Runs the tree to its end.
fn runs_whole(tree: &Tree) {
    let counts = Rc::<Counts>::default();
    let polls = Rc::<Cell<usize>>::default();
    virtual_loop()
        .run_until_complete(async {
            let root = Polled(Box::pin(run(tree.clone(), &counts)), polls.clone());
            let outcome = timeout(ms(1_000_000), root).await;
            assert_eq!(outcome, Ok(value(tree)));
            assert!(polls.get() <= polls_at_most(tree), "{} polls", polls.get());
            ended(&counts).await;
        })
        .unwrap();
}

/// Runs the tree until it is cut: as a future of a task, or as a task that is cancelled.
fn runs_until_cut(tree: &Tree, polls: usize, when_woken: bool, as_task: bool) {
    let counts = Rc::<Counts>::default();
    virtual_loop()
        .run_until_complete(async {
            let root = run(tree.clone(), &counts);
            if as_task {
                let task = spawn(root);
                turns(polls).await;
                task.cancel();
                drop(task.await);
            } else {
                let cut = Cut {
                    future: Some(Box::pin(root)),
                    polls,
                    when_woken,
                };
                let outcome = cut.await;
                assert!(outcome.is_none_or(|outcome| outcome == value(tree)));
            }
            ended(&counts).await;
        })
        .unwrap();
}

/// All leaves are dropped, now or with the tasks that were cancelled, and none is polled again.
async fn ended(counts: &Counts) {
    turns(20).await;
    assert_eq!(counts.dropped.get(), counts.made.get());
    let polls = counts.polls.get();
    sleep(ms(100)).await;
    assert_eq!(counts.polls.get(), polls, "leaves are polled after the end");
    assert_eq!(counts.dropped.get(), counts.made.get());
}

#[test]
fn trees_of_groups_give_what_plain_recursion_gives_and_leave_nothing() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(250)
    };
    let cuts = (trees(), 0_usize..12, any::<bool>(), any::<bool>());
    let outcome = proptest::test_runner::TestRunner::new(config).run(
        &cuts,
        |(tree, polls, when_woken, as_task)| {
            runs_whole(&tree);
            runs_until_cut(&tree, polls, when_woken, as_task);
            Ok(())
        },
    );
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn small_trees_are_cut_at_every_poll() {
    let leaf = |waits: &[Wait], fails| Tree::Leaf {
        waits: waits.to_vec(),
        fails,
    };
    let leaves = || {
        vec![
            leaf(&[Wait::Timer(1), Wait::Turn], false),
            leaf(&[Wait::Turn, Wait::Timer(1)], true),
            leaf(&[Wait::Turn, Wait::Turn], false),
        ]
    };
    let inner = |kind: usize| match kind {
        0 => Tree::Gather(leaves()),
        1 => Tree::TryGather(leaves()),
        2 => Tree::Scope(leaves()),
        3 => Tree::TryScope(leaves()),
        4 => Tree::Map(2, leaves()),
        5 => Tree::Group(leaves()),
        6 => Tree::Collect(leaves()),
        _ => Tree::Task(Box::new(leaf(&[Wait::Turn; 3], false))),
    };
    for (outer, within) in (0..8).flat_map(|outer| (0..8).map(move |within| (outer, within))) {
        let both = vec![inner(within), leaf(&[Wait::Timer(2)], false)];
        let tree = match outer {
            0 => Tree::Gather(both),
            1 => Tree::TryGather(both),
            2 => Tree::Scope(both),
            3 => Tree::TryScope(both),
            4 => Tree::Map(1, both),
            5 => Tree::Group(both),
            6 => Tree::Collect(both),
            _ => Tree::Task(Box::new(inner(within))),
        };
        runs_whole(&tree);
        for polls in 0..10 {
            runs_until_cut(&tree, polls, false, false);
            runs_until_cut(&tree, polls, true, false);
            runs_until_cut(&tree, polls, false, true);
        }
    }
}
