//! The generator protocol: the promises of PEP 255, 342, 479 in Rust.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;

use coro::CoroutineState::{Complete, Yielded};
use coro::generator::Status;
use coro::{Coroutine, Generator, yield_};

/// A shared log, to which values add a note when they are dropped.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    pub(crate) fn note(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }

    pub(crate) fn on_drop(&self, what: &'static str) -> NotesDrop {
        NotesDrop(self.clone(), what)
    }

    pub(crate) fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

pub(crate) struct NotesDrop(Log, &'static str);

impl Drop for NotesDrop {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

#[coro::coroutine(yields = u32)]
fn count(from: u32, to: u32) {
    for n in from..to {
        yield_!(n);
    }
}

/// Yields the running mean of the numbers it is resumed with, until one is negative.
#[coro::coroutine(yields = f64, resumes = f64)]
fn mean() -> usize {
    let (mut sum, mut len) = (0.0, 0);
    loop {
        let x = yield_!(if len == 0 { 0.0 } else { sum / len as f64 });
        if x < 0.0 {
            return len;
        }
        sum += x;
        len += 1;
    }
}

#[coro::coroutine(yields = &'static str)]
fn noisy(log: Log) -> &'static str {
    let _outer = log.on_drop("outer");
    log.note("started");
    yield_!("one");
    let _inner = log.on_drop("inner");
    yield_!("two");
    log.note("returning");
    "done"
}

#[test]
fn calling_the_function_runs_nothing() {
    let log = Log::default();
    let generator = noisy(log.clone());
    assert_eq!(log.take(), [""; 0]);
    assert_eq!(generator.status(), Status::NotStarted);
}

#[test]
fn status_follows_the_life_of_the_generator() {
    let mut generator = pin!(count(0, 1));
    assert_eq!(generator.status(), Status::NotStarted);
    assert_eq!(generator.as_mut().start(), Yielded(0));
    assert_eq!(generator.status(), Status::Suspended);
    assert_eq!(generator.as_mut().resume(()), Complete(()));
    assert_eq!(generator.status(), Status::Finished);
}

#[test]
fn start_and_resume_mean_the_same_when_nothing_is_handed_in() {
    let mut generator = pin!(count(0, 4));
    assert_eq!(generator.as_mut().resume(()), Yielded(0));
    assert_eq!(generator.as_mut().start(), Yielded(1));
    assert_eq!(generator.as_mut().try_resume(()), Ok(Yielded(2)));
    assert_eq!(generator.as_mut().resume(()), Yielded(3));
}

#[test]
fn a_yield_evaluates_to_the_value_of_the_resumer() {
    let mut mean = pin!(mean());
    assert_eq!(mean.as_mut().start(), Yielded(0.0));
    assert_eq!(mean.as_mut().resume(10.0), Yielded(10.0));
    assert_eq!(mean.as_mut().resume(20.0), Yielded(15.0));
    assert_eq!(mean.as_mut().resume(-1.0), Complete(2));
}

#[test]
fn a_value_before_the_start_is_given_back_and_the_generator_is_still_fresh() {
    let mut mean = pin!(mean());
    let error = mean.as_mut().try_resume(1.0).unwrap_err();
    assert!(error.is_not_started() && !error.is_finished());
    assert_eq!(error.into_value(), 1.0);
    assert_eq!(mean.status(), Status::NotStarted);
    assert_eq!(mean.as_mut().start(), Yielded(0.0));
}

#[test]
fn a_value_after_the_end_is_given_back_and_the_return_value_comes_once() {
    let mut mean = pin!(mean());
    _ = mean.as_mut().start();
    assert_eq!(mean.as_mut().resume(-1.0), Complete(0));
    let error = mean.as_mut().try_resume(2.0).unwrap_err();
    assert!(error.is_finished());
    assert_eq!(error.to_string(), "the coroutine is finished");
    assert_eq!(error.into_value(), 2.0);
}

#[test]
fn yields_are_evaluated_from_left_to_right_wherever_an_expression_may_stand() {
    #[coro::coroutine(yields = &'static str, resumes = u32)]
    fn everywhere() -> Vec<u32> {
        let mut seen = vec![yield_!("a") + yield_!("b"), yield_!("c")];
        let index = |v: &Vec<u32>, i: u32| v[i as usize];
        seen.push(index(&seen.clone(), yield_!("d")));
        match yield_!("e") {
            n if n > 100 => seen.push(n),
            n => seen.push(n + yield_!("f")),
        }
        seen
    }
    let mut body = pin!(everywhere());
    let mut asked = vec![];
    let mut state = body.as_mut().start();
    let mut answers = [10, 1, 7, 0, 5, 50].into_iter();
    let seen = loop {
        match state {
            Yielded(name) => {
                asked.push(name);
                state = body.as_mut().resume(answers.next().unwrap());
            }
            Complete(seen) => break seen,
        }
    };
    assert_eq!(asked, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(seen, [11, 7, 11, 55]);
}

#[test]
fn completion_drops_the_locals_at_once() {
    let log = Log::default();
    let mut generator = pin!(noisy(log.clone()));
    assert_eq!(
        generator.as_mut().iter().collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(log.take(), ["started", "returning", "inner", "outer"]);
}

#[test]
fn close_drops_the_innermost_locals_first_and_runs_nothing_else() {
    let log = Log::default();
    let mut generator = pin!(noisy(log.clone()));
    assert_eq!(generator.as_mut().iter().take(2).count(), 2);
    log.take();
    generator.as_mut().close();
    assert_eq!(log.take(), ["inner", "outer"]);
    assert_eq!(generator.status(), Status::Finished);
    generator.as_mut().close();
    assert_eq!(log.take(), [""; 0]);
    assert!(generator.try_resume(()).unwrap_err().is_finished());
}

#[test]
fn closing_before_the_start_never_runs_the_body() {
    let log = Log::default();
    let mut generator = pin!(noisy(log.clone()));
    generator.as_mut().close();
    assert_eq!(log.take(), [""; 0]);
    assert_eq!(generator.iter().next(), None);
}

#[test]
fn dropping_is_closing() {
    let log = Log::default();
    let mut generator = Box::pin(noisy(log.clone()));
    assert_eq!(generator.as_mut().start(), Yielded("one"));
    drop(generator);
    assert_eq!(log.take(), ["started", "outer"]);
}

#[test]
fn an_error_is_raised_at_the_yield_and_can_be_caught_there() {
    #[coro::coroutine(yields = u32, resumes = Result<u32, &'static str>)]
    fn careful() -> Result<u32, &'static str> {
        let mut sum = 0;
        loop {
            match yield_!(sum) {
                Ok(n) => sum += n,
                Err("reset") => sum = 0,
                error => return error,
            }
        }
    }
    let mut careful = pin!(careful());
    assert_eq!(careful.as_mut().start(), Yielded(0));
    assert_eq!(careful.as_mut().send(3), Yielded(3));
    assert_eq!(careful.as_mut().send(4), Yielded(7));
    assert_eq!(careful.as_mut().throw("reset"), Yielded(0));
    assert_eq!(careful.as_mut().throw("broken"), Complete(Err("broken")));
    assert_eq!(careful.status(), Status::Finished);
}

#[test]
fn a_question_mark_lets_the_error_through() {
    #[coro::coroutine(yields = (), resumes = Result<u32, String>)]
    fn sum(log: Log) -> Result<u32, String> {
        let _cleanup = log.on_drop("cleanup");
        Ok(yield_!()? + yield_!()?)
    }
    let log = Log::default();
    let mut sum = pin!(sum(log.clone()));
    _ = sum.as_mut().start();
    assert_eq!(sum.as_mut().send(1), Yielded(()));
    assert_eq!(sum.as_mut().throw("no".into()), Complete(Err("no".into())));
    assert_eq!(log.take(), ["cleanup"]);
}

#[test]
fn a_for_loop_iterates_a_generator() {
    let mut sum = 0;
    for n in count(1, 5) {
        sum += n;
    }
    assert_eq!(sum, 10);
}

#[test]
fn iterating_a_pinned_generator_can_be_interrupted_and_taken_up_again() {
    let mut generator = pin!(count(0, 5));
    assert_eq!(generator.as_mut().iter().take(2).sum::<u32>(), 1);
    assert_eq!(generator.as_mut().resume(()), Yielded(2));
    assert_eq!(generator.iter().collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn the_return_value_is_there_after_iteration() {
    let log = Log::default();
    let mut generator = pin!(noisy(log.clone()));
    let mut iter = generator.as_mut().iter();
    assert_eq!(iter.by_ref().count(), 2);
    assert_eq!(iter.into_return(), Some("done"));

    let mut iter = noisy(log.clone()).iter_boxed();
    assert_eq!(iter.next(), Some("one"));
    assert_eq!(iter.into_return(), None);

    let mut iter = noisy(log).iter_boxed();
    assert_eq!(iter.by_ref().count(), 2);
    assert_eq!(iter.into_return(), Some("done"));
}

#[test]
fn iteration_is_fused() {
    let mut iter = count(0, 1).into_iter();
    assert_eq!(
        (iter.next(), iter.next(), iter.next()),
        (Some(0), None, None)
    );
    let mut generator = pin!(count(0, 1));
    let mut iter = generator.as_mut().iter();
    assert_eq!(
        (iter.next(), iter.next(), iter.next()),
        (Some(0), None, None)
    );
}

#[test]
fn a_generator_may_borrow_from_its_arguments_and_from_itself() {
    #[coro::coroutine(yields = &'a str)]
    fn words<'a>(text: &'a str, skip: &str) {
        let copy = text.replace(skip, " ");
        let kept: Vec<&str> = copy.split_whitespace().collect();
        for word in text.split_whitespace() {
            if kept.contains(&word) {
                yield_!(word);
            }
        }
    }
    let text = String::from("a rose is a rose");
    let found: Vec<&str> = words(&text, "rose").into_iter().collect();
    assert_eq!(found, ["a", "is", "a"]);
}

#[test]
fn a_generator_is_send_exactly_when_its_body_is() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    #[coro::coroutine(yields = u32)]
    fn local_between_yields() {
        let local = Rc::new(1);
        let copy = *local;
        drop(local);
        yield_!(copy);
    }
    let mut generator = Box::pin(is_send(count(0, 100)));
    assert_eq!(generator.as_mut().start(), Yielded(0));
    let rest = std::thread::spawn(move || generator.as_mut().iter().count());
    assert_eq!(rest.join().unwrap(), 99);
    // Not `Send`, because the body holds an `Rc` across its yield; it runs all the same.
    assert_eq!(local_between_yields().into_iter().count(), 1);
}

#[test]
fn generators_are_used_through_the_trait_and_as_trait_objects() {
    fn drain<C: Coroutine<Resume = ()> + ?Sized>(mut coroutine: Pin<&mut C>) -> usize {
        let mut items = 0;
        while let Yielded(_) = coroutine.as_mut().resume(()) {
            items += 1;
        }
        items
    }
    assert_eq!(drain(pin!(count(0, 3))), 3);
    let mut object: Pin<Box<dyn Coroutine<Yield = u32, Resume = (), Return = ()>>> =
        Box::pin(count(0, 4));
    assert_eq!(drain(object.as_mut()), 4);
    assert_eq!(object.status(), Status::Finished);
}

#[test]
fn a_boxed_generator_is_an_iterator_that_can_be_moved_between_items() {
    #[coro::coroutine(yields = u32, boxed)]
    fn evens(to: u32) {
        let mut n = 0;
        while n < to {
            yield_!(n);
            n += 2;
        }
    }
    let mut evens = evens(10);
    assert_eq!(evens.next(), Some(0));
    let mut moved = vec![evens].pop().unwrap();
    assert_eq!(moved.next(), Some(2));
    Pin::new(&mut moved).close();
    assert_eq!(moved.next(), None);
}

#[test]
fn a_generator_of_generators_nests() {
    fn rows(n: u32) -> impl Iterator<Item = Vec<u32>> {
        #[coro::coroutine(yields = Vec<u32>)]
        fn rows(n: u32) {
            for row in 0..n {
                yield_!(count(0, row).into_iter().collect());
            }
        }
        rows(n).into_iter()
    }
    assert_eq!(rows(4).map(|row| row.len()).sum::<usize>(), 6);
}

#[test]
fn debug_shows_the_status() {
    let generator = count(0, 1);
    assert_eq!(
        format!("{generator:?}"),
        "Generator { status: NotStarted, .. }"
    );
    let iter = generator.into_iter();
    assert_eq!(format!("{iter:?}"), "IntoIter { status: NotStarted, .. }");
    let error = pin!(mean()).try_resume(0.0).unwrap_err();
    assert_eq!(format!("{error:?}"), "ResumeError { finished: false, .. }");
}

#[test]
fn a_generator_is_little_larger_than_its_body() {
    fn overhead<Y, R, F>(generator: &Generator<Y, R, F>) -> usize {
        size_of_val(generator) - size_of::<F>()
    }
    assert!(overhead(&count(0, 1)) <= 16);
    assert!(overhead(&mean()) <= 16);
}
