//! Random programs of coroutines, compared with a plain model of their steps.
//!
//! A program is a tree of scripts. One coroutine interprets it, delegating wherever a script has a
//! child; the model interprets the same tree with a stack of its own. Both are driven by the same
//! random inputs, and must agree in every value, in every result, and in the order of all drops.

use std::pin::Pin;

use coro::generator::Status;
use coro::{Coroutine, CoroutineState, yield_, yield_from};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::generator::Log;

type Input = Result<u32, u32>;

/// How a script delegates to its child.
#[derive(Clone, Copy, Debug)]
enum How {
    Boxed,
    InPlace,
    Reyielded,
}

#[derive(Clone, Debug)]
enum Op {
    Yield(u32),
    Child {
        how: How,
        catches: bool,
        script: Script,
    },
}

#[derive(Clone, Debug)]
struct Script {
    name: usize,
    ops: Vec<Op>,
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// An odd error ends a script. An even one counts as the number 100.
fn heard(sum: &mut u32, input: Input) -> Result<(), u32> {
    *sum += match input {
        Ok(n) => n,
        Err(error) if error % 2 == 0 => 100,
        Err(error) => return Err(error),
    };
    Ok(())
}

fn returned(sum: &mut u32, catches: bool, result: Input) -> Result<(), u32> {
    *sum += match result {
        Ok(n) => n,
        Err(_) if catches => 1000,
        Err(error) => return Err(error),
    };
    Ok(())
}

#[coro::coroutine(yields = u32, resumes = Input, boxed)]
fn boxed(script: Script, log: Log) -> Input {
    yield_from!(in_place(script, log))
}

#[coro::coroutine(yields = u32, resumes = Input)]
fn in_place(script: Script, log: Log) -> Input {
    let _local = log.on_drop(NAMES[script.name]);
    let mut sum = 0;
    for op in script.ops {
        match op {
            Op::Yield(n) => {
                let input = yield_!(n + sum);
                heard(&mut sum, input)?;
            }
            Op::Child {
                how,
                catches,
                script,
            } => {
                let result = match how {
                    How::Boxed => yield_from!(boxed(script, log.clone())),
                    How::InPlace => yield_from!(flat(script, log.clone())),
                    How::Reyielded => yield_from!(&mut boxed(script, log.clone())),
                };
                returned(&mut sum, catches, result)?;
            }
        }
    }
    Ok(sum)
}

/// As `in_place`, with boxes only below it: a body cannot contain itself.
#[coro::coroutine(yields = u32, resumes = Input)]
fn flat(script: Script, log: Log) -> Input {
    let _local = log.on_drop(NAMES[script.name]);
    let mut sum = 0;
    for op in script.ops {
        match op {
            Op::Yield(n) => {
                let input = yield_!(n + sum);
                heard(&mut sum, input)?;
            }
            Op::Child {
                catches, script, ..
            } => {
                let result = yield_from!(boxed(script, log.clone()));
                returned(&mut sum, catches, result)?;
            }
        }
    }
    Ok(sum)
}

/// The state of a running script in the model.
struct Frame {
    name: usize,
    ops: std::vec::IntoIter<Op>,
    sum: u32,
    catches: bool,
}

#[derive(Default)]
struct Model {
    stack: Vec<Frame>,
    dropped: Vec<&'static str>,
}

impl Model {
    fn enter(&mut self, script: Script, catches: bool) {
        let Script { name, ops } = script;
        self.stack.push(Frame {
            name,
            ops: ops.into_iter(),
            sum: 0,
            catches,
        });
    }

    /// Runs to the next yield or to the end. `None` starts the program.
    fn run(&mut self, input: Option<Input>) -> CoroutineState<u32, Input> {
        let mut result = match (input, self.stack.last_mut()) {
            (Some(input), Some(frame)) => heard(&mut frame.sum, input).err().map(Err),
            _ => None,
        };
        loop {
            let frame = self.stack.last_mut().unwrap();
            if result.is_none() {
                result = match frame.ops.next() {
                    Some(Op::Yield(n)) => return CoroutineState::Yielded(n + frame.sum),
                    Some(Op::Child {
                        script, catches, ..
                    }) => {
                        self.enter(script, catches);
                        continue;
                    }
                    None => Some(Ok(frame.sum)),
                };
            }
            let Some(done) = result.take() else {
                unreachable!()
            };
            let catches = frame.catches;
            self.leave();
            match self.stack.last_mut() {
                None => return CoroutineState::Complete(done),
                Some(parent) => {
                    result = returned(&mut parent.sum, catches, done).err().map(Err);
                }
            }
        }
    }

    fn leave(&mut self) {
        let frame = self.stack.pop().unwrap();
        self.dropped.push(NAMES[frame.name]);
    }

    fn close(&mut self) {
        while !self.stack.is_empty() {
            self.leave();
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Resume(u32),
    Throw(u32),
    TryResume(u32),
    Close,
    Drop,
}

fn scripts() -> impl Strategy<Value = Script> {
    let how = prop_oneof![Just(How::Boxed), Just(How::InPlace), Just(How::Reyielded)];
    let leaf = (0..NAMES.len(), vec((0_u32..10).prop_map(Op::Yield), 0..3))
        .prop_map(|(name, ops)| Script { name, ops });
    leaf.prop_recursive(5, 40, 4, move |script| {
        let child =
            (how.clone(), any::<bool>(), script).prop_map(|(how, catches, script)| Op::Child {
                how,
                catches,
                script,
            });
        let op = prop_oneof![1 => (0_u32..10).prop_map(Op::Yield), 2 => child];
        (0..NAMES.len(), vec(op, 0..4)).prop_map(|(name, ops)| Script { name, ops })
    })
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (0_u32..10).prop_map(Act::Resume),
        4 => (0_u32..10).prop_map(Act::Throw),
        3 => (0_u32..10).prop_map(Act::TryResume),
        1 => Just(Act::Close),
        1 => Just(Act::Drop),
    ]
}

/// Drives a coroutine and the model, and compares them after each act.
fn compare<C>(
    mut coroutine: Pin<Box<C>>,
    script: Script,
    log: &Log,
    acts: Vec<Act>,
    close: fn(Pin<&mut C>),
) where
    C: Coroutine<Yield = u32, Resume = Input, Return = Input> + ?Sized,
{
    let mut model = Model::default();
    let error = coroutine.as_mut().try_resume(Ok(1)).unwrap_err();
    assert!(error.is_not_started());
    model.enter(script, false);
    assert_eq!(coroutine.as_mut().start(), model.run(None));
    for act in acts {
        let finished = model.stack.is_empty();
        let expected = if finished {
            Status::Finished
        } else {
            Status::Suspended
        };
        assert_eq!(coroutine.status(), expected);
        match act {
            Act::Resume(n) if !finished => {
                assert_eq!(coroutine.as_mut().resume(Ok(n)), model.run(Some(Ok(n))));
            }
            Act::Throw(n) if !finished => {
                assert_eq!(coroutine.as_mut().resume(Err(n)), model.run(Some(Err(n))));
            }
            Act::Resume(n) | Act::Throw(n) | Act::TryResume(n) => {
                match coroutine.as_mut().try_resume(Ok(n)) {
                    Ok(state) => assert_eq!(state, model.run(Some(Ok(n)))),
                    Err(error) => assert_eq!((error.into_value(), finished), (Ok(n), true)),
                }
            }
            Act::Close => {
                close(coroutine.as_mut());
                model.close();
            }
            Act::Drop => break,
        }
        assert_eq!(log.take(), std::mem::take(&mut model.dropped));
    }
    drop(coroutine);
    model.close();
    assert_eq!(log.take(), model.dropped);
}

proptest! {
    #[test]
    fn coroutines_agree_with_the_model(script in scripts(), acts in vec(acts(), 0..40)) {
        let log = Log::default();
        let root = Box::pin(in_place(script.clone(), log.clone()));
        compare(root, script.clone(), &log, acts.clone(), |root| root.close());
        let root = Box::pin(boxed(script.clone(), log.clone()));
        compare(root, script, &log, acts, |root| root.close());
    }
}
