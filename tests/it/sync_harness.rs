//! Programs of waits, polls, drops, releases, run on a primitive beside a plain model of it.
//!
//! A model says which wait is served, with which result, and when. The harness polls each wait by
//! hand, so that a program can drop it after any of its polls. At every step it checks that exactly
//! the served waits were woken, in that order. It also checks that each wait is ready exactly when
//! the model says so, with that result.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use proptest::collection::vec;
use proptest::prelude::*;

/// The output of a wait: its text, with the guard that is kept until it is released.
pub(crate) struct Held<'a>(
    String,
    #[expect(dead_code, reason = "it is held for its destructor")] Box<dyn Keep + 'a>,
);

pub(crate) trait Keep {}

impl<T> Keep for T {}

impl<'a> Held<'a> {
    pub(crate) fn new(text: impl Debug, kept: impl Keep + 'a) -> Self {
        Held(format!("{text:?}"), Box::new(kept))
    }

    pub(crate) fn text(text: impl Debug) -> Self {
        Held::new(text, ())
    }
}

pub(crate) type Waiting<'a> = Pin<Box<dyn Future<Output = Held<'a>> + 'a>>;

/// The served waits with their results, in order.
#[derive(Default)]
pub(crate) struct Served(Vec<(usize, String)>);

impl Served {
    pub(crate) fn add(&mut self, id: usize, text: impl Debug) {
        self.0.push((id, format!("{text:?}")));
    }
}

/// A primitive with its model.
pub(crate) trait Model: Default {
    type Real: Default;

    /// The numbers of kinds of waits and of acts. Kinds are numbered from 0.
    const WAITS: u8;
    const ACTS: u8;

    fn wait(real: &Self::Real, kind: u8, id: usize) -> Waiting<'_>;

    /// Performs an act, which does not wait. Returns its result as text.
    fn act(_: &Self::Real, _kind: u8, _id: usize) -> String {
        String::new()
    }

    /// A wait has begun.
    fn began(&mut self, kind: u8, id: usize, served: &mut Served);

    /// A wait was dropped before it gave its result, though it may have been served.
    fn gone(&mut self, id: usize, served: &mut Served);

    /// The output of a wait is dropped.
    fn released(&mut self, _id: usize, _served: &mut Served) {}

    fn acted(&mut self, _kind: u8, _id: usize, _served: &mut Served) -> String {
        String::new()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Wait(u8),
    Act(u8),
    /// Polls the nth unfinished wait; with a new waker if `true`.
    Poll(usize, bool),
    Drop(usize),
    Release(usize),
}

/// Records the id of the wait that it wakes.
struct Logs(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Logs {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

struct Wait<'a> {
    future: Waiting<'a>,
    waker: Waker,
    /// The result that the model has served it with.
    result: Option<String>,
}

struct Run<'a, M: Model> {
    real: &'a M::Real,
    model: M,
    waits: BTreeMap<usize, Wait<'a>>,
    held: BTreeMap<usize, Held<'a>>,
    woken: Arc<Mutex<Vec<usize>>>,
    next: usize,
}

impl<'a, M: Model> Run<'a, M> {
    fn new(real: &'a M::Real) -> Self {
        Run {
            real,
            model: M::default(),
            waits: BTreeMap::new(),
            held: BTreeMap::new(),
            woken: Arc::default(),
            next: 0,
        }
    }

    fn step(&mut self, step: Step) {
        let mut served = Served::default();
        match step {
            Step::Wait(kind) => return self.wait(kind),
            Step::Poll(nth, changes) => return self.poll(nth, changes),
            Step::Act(kind) => {
                self.next += 1;
                let text = M::act(self.real, kind, self.next);
                let expected = self.model.acted(kind, self.next, &mut served);
                assert_eq!(text, expected);
            }
            Step::Drop(nth) => {
                let Some(id) = nth_of(&self.waits, nth) else {
                    return;
                };
                let wait = self.waits.remove(&id);
                self.model.gone(id, &mut served);
                drop(wait);
            }
            Step::Release(nth) => {
                let Some(id) = nth_of(&self.held, nth) else {
                    return;
                };
                let held = self.held.remove(&id);
                self.model.released(id, &mut served);
                drop(held);
            }
        }
        self.check(served, None);
    }

    fn waker(&self, id: usize) -> Waker {
        Arc::new(Logs(id, self.woken.clone())).into()
    }

    fn wait(&mut self, kind: u8) {
        let mut served = Served::default();
        self.next += 1;
        let id = self.next;
        let wait = Wait {
            future: M::wait(self.real, kind, id),
            waker: self.waker(id),
            result: None,
        };
        self.waits.insert(id, wait);
        self.model.began(kind, id, &mut served);
        let at_once = served.0.iter().find(|(other, _)| *other == id).cloned();
        self.waits.get_mut(&id).unwrap().result = at_once.map(|(_, text)| text);
        self.poll_id(id);
        self.check(served, Some(id));
    }

    fn poll(&mut self, nth: usize, changes: bool) {
        let Some(id) = nth_of(&self.waits, nth) else {
            return;
        };
        if changes {
            self.waits.get_mut(&id).unwrap().waker = self.waker(id);
        }
        self.poll_id(id);
        self.check(Served::default(), None);
    }

    fn poll_id(&mut self, id: usize) {
        let wait = self.waits.get_mut(&id).unwrap();
        let polled = wait
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&wait.waker));
        let expected = wait.result.as_ref();
        match polled {
            Poll::Pending => assert_eq!(expected, None, "wait {id} was served, but is pending"),
            Poll::Ready(held) => {
                assert_eq!(Some(&held.0), expected, "wait {id}");
                self.waits.remove(&id);
                self.held.insert(id, held);
            }
        }
    }

    /// Checks that exactly the served waits have been woken, in that order.
    fn check(&mut self, served: Served, at_once: Option<usize>) {
        let woken = std::mem::take(&mut *self.woken.lock().unwrap());
        let waited = served.0.iter().filter(|(id, _)| Some(*id) != at_once);
        assert_eq!(woken, waited.map(|(id, _)| *id).collect::<Vec<_>>());
        for (id, text) in served.0 {
            if let Some(wait) = self.waits.get_mut(&id) {
                wait.result = Some(text);
            }
        }
    }
}

fn nth_of<T>(all: &BTreeMap<usize, T>, nth: usize) -> Option<usize> {
    all.keys().nth(nth % all.len().max(1)).copied()
}

fn run<M: Model>(program: &[Step]) {
    let real = M::Real::default();
    let mut run = Run::<M>::new(&real);
    program.iter().for_each(|&step| run.step(step));
    while !run.waits.is_empty() || !run.held.is_empty() {
        run.step(Step::Release(1));
        run.step(Step::Drop(0));
    }
}

fn steps<M: Model>() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..M::WAITS).prop_map(Step::Wait),
        3 => (0..M::ACTS.max(1)).prop_map(|kind| if M::ACTS == 0 { Step::Release(0) } else { Step::Act(kind) }),
        3 => (0_usize..9, any::<bool>()).prop_map(|(nth, changes)| Step::Poll(nth, changes)),
        2 => (0_usize..9).prop_map(Step::Drop),
        3 => (0_usize..9).prop_map(Step::Release),
    ]
}

/// Checks a primitive with random programs, then with all short ones.
pub(crate) fn check<M: Model>() {
    all_short::<M>(if M::WAITS + M::ACTS > 6 { 4 } else { 5 });
    let programs = vec(steps::<M>(), 0..60);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    });
    let outcome = runner.run(&programs, |program| {
        run::<M>(&program);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Runs all programs of `length` steps, in which every wait is dropped after each of its polls.
fn all_short<M: Model>(length: u32) {
    let waits = (0..M::WAITS).map(Step::Wait);
    let acts = (0..M::ACTS).map(Step::Act);
    let others = [
        Step::Poll(0, false),
        Step::Poll(1, true),
        Step::Drop(0),
        Step::Drop(1),
        Step::Release(0),
    ];
    let alphabet: Vec<Step> = waits.chain(acts).chain(others).collect();
    for number in 0..alphabet.len().pow(length) {
        let mut rest = number;
        let program: Vec<Step> = (0..length)
            .map(|_| {
                let step = alphabet[rest % alphabet.len()];
                rest /= alphabet.len();
                step
            })
            .collect();
        run::<M>(&program);
    }
}
