//! Shapes that an edition could change: captured lifetimes, the drop order of temporaries.

use coro::{yield_, yield_from};
use std::cell::RefCell;
use std::future::{ready, Future};
use std::pin::Pin;

struct Words<'a>(&'a str);

#[coro::coroutine]
fn two_elided(x: &str, y: &str) -> usize {
    yield_from!(ready(x.len() + y.len()))
}

#[coro::coroutine]
fn in_path(x: Words<'_>, y: &Words<'_>) -> usize {
    yield_from!(ready(x.0.len() + y.0.len()))
}

#[coro::coroutine(send)]
fn sent(x: &str, y: &str) -> usize {
    yield_from!(ready(x.len() + y.len()))
}

#[coro::coroutine(boxed)]
fn boxed(x: &str, y: Words<'_>) -> usize {
    yield_from!(ready(x.len() + y.0.len()))
}

#[coro::coroutine(yields = usize)]
fn generator(x: &str, y: &str) {
    yield_!(x.len());
    yield_!(y.len());
}

#[coro::coroutine(yields = &'a str)]
async fn async_generator<'a>(x: &'a str, y: &str) {
    yield_from!(ready(()));
    yield_!(x);
    yield_!(&x[..y.len()]);
}

struct Text(String);

impl Text {
    #[coro::coroutine]
    fn join(&self, with: &str, and: impl AsRef<str>) -> String {
        yield_from!(ready(self.0.clone() + with + and.as_ref()))
    }

    #[coro::coroutine(yields = &str)]
    fn words(&self, separator: char) {
        yield_from!(self.0.split(separator))
    }
}

trait Read {
    #[coro::coroutine]
    fn read(&self, more: &str) -> usize;

    #[coro::coroutine(boxed)]
    fn read_boxed(&self, more: &str) -> usize {
        more.len()
    }
}

impl Read for Text {
    #[coro::coroutine]
    fn read(&self, more: &str) -> usize {
        self.0.len() + more.len()
    }
}

#[test]
fn all_lifetimes_are_captured() {
    let text = Text(String::from("a b"));
    let other = String::from("xy");
    assert_eq!(coro::run(two_elided(&text.0, &other)), 5);
    assert_eq!(coro::run(in_path(Words(&text.0), &Words(&other))), 5);
    assert_eq!(coro::run(sent(&text.0, &other)), 5);
    assert_eq!(coro::run(boxed(&text.0, Words(&other))), 5);
    assert_eq!(coro::run(text.join(&other, "!")), "a bxy!");
    assert_eq!(coro::run(text.read(&other)), 5);
    let read: Pin<Box<dyn Future<Output = usize> + '_>> = text.read_boxed(&other);
    assert_eq!(coro::run(read), 2);
    assert!(generator(&text.0, &other).into_iter().eq(vec![3, 2]));
    assert!(text.words(' ').into_iter().eq(vec!["a", "b"]));
    let collected: Vec<&str> = coro::run(futures::StreamExt::collect(async_generator(
        &text.0, &other,
    )));
    assert_eq!(collected, ["a b", "a "]);
}

/// Records its name when it is dropped.
struct Mortal<'a>(&'static str, &'a RefCell<Vec<&'static str>>);

impl Drop for Mortal<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

impl Mortal<'_> {
    fn touch(&self) {}
}

async fn reference(argument: Mortal<'_>) {
    let local = Mortal("local", argument.1);
    ready(()).await;
    local.touch();
    Mortal("tail", argument.1).touch()
}

#[coro::coroutine]
fn coroutine(argument: Mortal<'_>) {
    let local = Mortal("local", argument.1);
    yield_from!(ready(()));
    local.touch();
    Mortal("tail", argument.1).touch()
}

#[coro::coroutine(boxed)]
fn boxed_coroutine(argument: Mortal<'_>) {
    let local = Mortal("local", argument.1);
    yield_from!(ready(()));
    local.touch();
    Mortal("tail", argument.1).touch()
}

#[coro::coroutine(yields = ())]
fn generator_of_one(argument: Mortal<'_>) {
    let local = Mortal("local", argument.1);
    yield_!();
    local.touch();
    Mortal("tail", argument.1).touch()
}

async fn promised_reference(argument: Sent<'_>) {
    let local = Sent("local", argument.1);
    ready(()).await;
    local.touch();
    Sent("tail", argument.1).touch()
}

#[coro::coroutine(send)]
fn promised(argument: Sent<'_>) {
    let local = Sent("local", argument.1);
    yield_from!(ready(()));
    local.touch();
    Sent("tail", argument.1).touch()
}

/// The same for `Send` coroutines, with a mutex.
struct Sent<'a>(&'static str, &'a std::sync::Mutex<Vec<&'static str>>);

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

impl Sent<'_> {
    fn touch(&self) {}
}

#[test]
fn temporaries_of_the_tail_die_as_in_an_async_fn() {
    let graves = RefCell::new(Vec::new());
    coro::run(reference(Mortal("argument", &graves)));
    let expected = graves.take();
    assert_eq!(expected, ["local", "tail", "argument"]);
    coro::run(coroutine(Mortal("argument", &graves)));
    assert_eq!(graves.take(), expected);
    coro::run(boxed_coroutine(Mortal("argument", &graves)));
    assert_eq!(graves.take(), expected);
    generator_of_one(Mortal("argument", &graves))
        .into_iter()
        .for_each(drop);
    assert_eq!(graves.take(), expected);

    let graves = std::sync::Mutex::default();
    coro::run(promised_reference(Sent("argument", &graves)));
    let expected = std::mem::take(&mut *graves.lock().unwrap());
    coro::run(promised(Sent("argument", &graves)));
    assert_eq!(*graves.lock().unwrap(), expected);
}
