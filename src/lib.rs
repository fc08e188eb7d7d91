//! *asyncio, as Rust would have it.* Annotated functions become futures, generators or streams, run
//! by an event loop: on stable Rust, on one thread, in a documented order.
//!
//! # A program that grows
//!
//! A coroutine is a function with an attribute. Calling it runs none of its body: it gives a
//! future. [`yield_from!`] waits for another future, and [`run`] makes a loop and runs one future
//! to its end.
//!
//! ```
//! use coro::{sleep, yield_from};
//! use std::time::Duration;
//!
//! #[coro::coroutine]
//! fn compute(x: i32, y: i32) -> i32 {
//!     println!("Compute {x} + {y} ...");
//!     yield_from!(sleep(Duration::from_millis(5)));
//!     x + y
//! }
//!
//! #[coro::coroutine]
//! fn print_sum(x: i32, y: i32) {
//!     let sum = yield_from!(compute(x, y));
//!     println!("{x} + {y} = {sum}");
//! }
//!
//! coro::run(print_sum(1, 2));
//! ```
//!
//! To do several things at once, [`gather`] awaits futures together. [`spawn`] makes a [`Task`],
//! which the loop owns and runs beside the task that spawned it. [`timeout`] limits the time of
//! either.
//!
//! ```
//! # use coro::{sleep, yield_from};
//! # use std::time::Duration;
//! # #[coro::coroutine]
//! # fn compute(x: i32, y: i32) -> i32 {
//! #     yield_from!(sleep(Duration::from_millis(5)));
//! #     x + y
//! # }
//! #[coro::coroutine]
//! fn both() -> i32 {
//!     let beside = coro::spawn(compute(3, 4));
//!     let (a, b) = yield_from!(coro::gather((compute(1, 2), compute(5, 6))));
//!     let c = yield_from!(coro::timeout(Duration::from_secs(1), beside));
//!     a + b + c.expect("in time").expect("neither cancelled nor panicked")
//! }
//!
//! assert_eq!(coro::run(both()), 21);
//! ```
//!
//! Errors are values: `yield_from!(..)?` passes one on. A panic in a task stays in that task: its
//! [`JoinError`] goes to the task that awaits it, or to the loop's exception handler if none does.
//! Cancelling a task drops its future: destructors are the clean-up, and the future cannot refuse.
//!
//! With `yields = T` the function becomes a generator, which needs no loop: it is an iterator, a
//! stream if it is an `async fn`, or, with `resumes = R`, a coroutine that receives values.
//!
//! ```
//! use coro::yield_;
//!
//! #[coro::coroutine(yields = u32)]
//! fn squares(up_to: u32) {
//!     for n in 1..=up_to {
//!         yield_!(n * n);
//!     }
//! }
//!
//! assert_eq!(squares(4).into_iter().sum::<u32>(), 30);
//! ```
//!
//! Functions that the loop calls later, without a coroutine, are callouts: [`call_soon`],
//! [`call_later`], [`call_at`](event_loop::call_at). Sockets are in [`net`], with callback protocols, and TLS in
//! `net::tls` if the feature `tls` is on; subprocesses in `process`, signals in [`signal`], threads
//! for blocking calls in [`threads`], locks, queues and channels in [`sync`]. To keep a loop, stop
//! it, or give it a virtual clock, make an [`EventLoop`], which also documents the order in which
//! things run; other threads reach a loop by its [`RemoteHandle`](event_loop::RemoteHandle).
//!
//! # Tests
//!
//! `#[coro::test]` runs a test on a loop with a virtual clock: sleeping takes no time, and the test
//! runs the same way each time.
//!
//! ```
//! # use std::time::Duration;
//! #[coro::test]
//! async fn a_sleep_of_an_hour_returns_at_once() {
//!     coro::sleep(Duration::from_secs(3600)).await;
//! }
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeIsCompiled;

#[cfg(doctest)]
#[doc = include_str!("../docs/guide.md")]
struct GuideIsCompiled;

#[cfg(feature = "std")]
pub use coro_core::error::{Elapsed, JoinError};
#[cfg(feature = "std")]
pub use coro_core::event_loop::{EventLoop, LoopHandle, call_later, call_soon, spawn};
pub use coro_core::generator::{AsyncGenerator, Coroutine, CoroutineState, Generator};
#[cfg(feature = "std")]
pub use coro_core::group::{CancelToken, TaskGroup, gather, race, scope, try_gather, try_scope};
#[cfg(feature = "std")]
pub use coro_core::run;
#[cfg(feature = "std")]
pub use coro_core::task::{Task, TaskLocal};
#[cfg(feature = "std")]
pub use coro_core::time::{interval, sleep, timeout, yield_now};
#[cfg(feature = "std")]
pub use coro_core::{compat, net, signal, sync, threads};

#[cfg(all(unix, feature = "std"))]
pub use coro_core::process;

#[cfg(feature = "std")]
pub mod event_loop;

pub mod generator;

#[cfg(feature = "std")]
pub mod group;

#[cfg(feature = "std")]
pub mod task;

#[cfg(feature = "std")]
pub mod time;

#[doc(hidden)]
pub use coro_core::macro_support as __private;

/// Waits for a future, or delegates to a coroutine, an iterator or a stream.
///
/// The effect depends on the operand, and on the coroutine around the macro:
///
/// | operand | effect | value of the expression | allowed |
/// |---|---|---|---|
/// | a future | the coroutine waits for it, as with `.await` | its output | without `yields`, or in an `async fn` |
/// | a coroutine with the same `yields` and `resumes` | it yields to the caller, and is resumed by the caller | its return value | with `yields` |
/// | an iterator over the type of `yields` | each item is yielded | `()` | with `yields`, without `resumes` |
/// | a stream of the type of `yields` | each item is awaited, then yielded | `()` | with `yields`, in an `async fn` |
///
/// It is the `yield from` of [PEP 380], with the errors of Rust: they are values, so
/// `yield_from!(operand)?` passes on an error that the operand returned. Closing a coroutine also
/// drops the coroutines that it delegates to, the innermost first. Delegation has no cost: a
/// coroutine of this crate becomes a part of the one that delegates to it.
///
/// The operand is evaluated first, and its temporaries live until the end of the statement, as with
/// `.await`. The macro works wherever an expression may stand, also in the arguments of other
/// macros, and under any name that it is imported by. It must stand in the body of the coroutine
/// itself: it does not compile in closures and nested `async` blocks, which are state machines of
/// their own.
///
/// ```
/// use coro::{yield_, yield_from};
/// use std::future::ready;
///
/// #[coro::coroutine]
/// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
///     let text = yield_from!(ready(text.trim()));
///     text.parse()
/// }
///
/// #[coro::coroutine]
/// fn sum(a: &str, b: &str) -> Result<u32, std::num::ParseIntError> {
///     Ok(yield_from!(parse(a))? + yield_from!(parse(b))?)
/// }
///
/// #[coro::coroutine(yields = u32)]
/// fn countdown(from: u32) -> &'static str {
///     for n in (1..=from).rev() {
///         yield_!(n);
///     }
///     "liftoff"
/// }
///
/// #[coro::coroutine(yields = u32)]
/// fn twice() {
///     assert_eq!(yield_from!(countdown(2)), "liftoff");
///     yield_from!([10, 20].into_iter());
/// }
///
/// assert_eq!(coro::run(sum("1", " 2")), Ok(3));
/// assert!(twice().into_iter().eq([2, 1, 10, 20]));
/// ```
///
/// [PEP 380]: https://peps.python.org/pep-0380/
#[doc(inline)]
pub use coro_core::yield_from;

/// Hands a value to the caller of the coroutine, and evaluates to the value that it is resumed
/// with.
///
/// `yield_!(value)` suspends the body of a `#[coro::coroutine(yields = T)]` function; `value` is a
/// `T`. The expression evaluates to the argument of [`Coroutine::resume`]: an `R` if the function
/// says `resumes = R`, or else `()`. `yield_!()` is `yield_!(())`.
///
/// It is the `yield` of Python, as an expression, see [PEP 342]. It needs no `throw`: with `resumes
/// = Result<R, E>`, `yield_!(value)?` raises the error that was passed in.
///
/// ```
/// use coro::{Coroutine, CoroutineState, yield_};
/// use std::pin::pin;
///
/// #[coro::coroutine(yields = f64, resumes = f64)]
/// fn average() {
///     let (mut sum, mut count, mut mean) = (0.0, 0.0, f64::NAN);
///     loop {
///         sum += yield_!(mean);
///         count += 1.0;
///         mean = sum / count;
///     }
/// }
///
/// let mut average = pin!(average());
/// average.as_mut().start();
/// assert_eq!(average.as_mut().resume(10.0), CoroutineState::Yielded(10.0));
/// assert_eq!(average.as_mut().resume(20.0), CoroutineState::Yielded(15.0));
/// ```
///
/// [`yield_from!`] says where it may stand.
///
/// [PEP 342]: https://peps.python.org/pep-0342/
#[doc(inline)]
pub use coro_core::yield_;

/// Makes a function a coroutine.
///
/// | written | called, it gives | its body may use |
/// |---|---|---|
/// | `#[coro::coroutine] fn f(..) -> T` | a future of `T` | [`yield_from!`] |
/// | `#[coro::coroutine] async fn f(..) -> T` | the same | and `.await` |
/// | `#[coro::coroutine(yields = Y)] fn f(..) -> T` | a [`Generator`] that yields `Y` and never waits | [`yield_!`], [`yield_from!`] |
/// | `#[coro::coroutine(yields = Y, resumes = R)] fn f(..) -> T` | a [`Generator`] that is resumed with `R` | the same |
/// | `#[coro::coroutine(yields = Y)] async fn f(..) -> T` | an [`AsyncGenerator`]: it waits and yields | and `.await` |
///
/// The call runs none of the body. The arguments are moved into the coroutine, in order, and are
/// dropped with it, as those of an `async fn` are.
///
/// ```
/// use coro::{yield_, yield_from};
/// use std::future::ready;
///
/// #[coro::coroutine]
/// fn length(text: &str) -> usize {
///     yield_from!(ready(text.len()))
/// }
///
/// #[coro::coroutine(yields = &'a str)]
/// fn words<'a>(text: &'a str) {
///     for word in text.split(' ') {
///         yield_!(word);
///     }
/// }
///
/// assert_eq!(coro::run(length("four")), 4);
/// assert!(words("one two").into_iter().eq(["one", "two"]));
/// ```
///
/// # Always by path
///
/// The compiler has an unstable built-in attribute called `coroutine`, so `use coro::coroutine`
/// makes the bare name ambiguous (E0659). Write the path, or use [`macro@coroutines`], which makes
/// the bare name work inside it.
///
/// # Arguments
///
/// - **`yields = Y`**: the type that the coroutine yields. It may borrow from the arguments.
/// - **`resumes = R`**: the type that it is resumed with; `()` by default. Needs `yields`.
/// - **`send`**: promises that the coroutine is `Send`, and checks it. Outside of traits the
///   compiler infers that by itself. A default method with `&self` needs `where Self: Sync`.
/// - **`boxed`**: puts the body on the heap, one allocation for each call: for recursion, and for
///   methods of traits that are used as `dyn Trait`. All borrows must be visible in the types of
///   the arguments: `Words<'_>`, not `Words`. Without `yields`, each level of a recursion takes
///   stack while it is polled: 2 MiB are enough for 6,000 levels of a small body in debug builds,
///   and for 26,000 in release builds. With `yields` there is no such limit.
/// - **`crate = path::to::coro`**: the path of this crate, if it is not `::coro`.
///
/// # Traits
///
/// A method of a trait, required or provided, is annotated like any function, and so is the method
/// that implements it, with the same arguments. A coroutine without `boxed` and `yields` can also
/// be implemented by an unannotated `async fn`, or a function that returns `impl Future`. A method that is not
/// `boxed` in the trait, a foreign one too, is implemented without `boxed`.
///
/// ```
/// use coro::yield_from;
///
/// trait Shape {
///     #[coro::coroutine(boxed)]
///     fn area(&self) -> f64;
///
///     #[coro::coroutine(boxed)]
///     fn price(&self, each: f64) -> f64 {
///         yield_from!(self.area()) * each
///     }
/// }
///
/// struct Square(f64);
///
/// impl Shape for Square {
///     #[coro::coroutine(boxed)]
///     fn area(&self) -> f64 {
///         self.0 * self.0
///     }
/// }
///
/// let shape: Box<dyn Shape> = Box::new(Square(3.0));
/// assert_eq!(coro::run(shape.price(2.0)), 18.0);
/// ```
///
/// # Beside other attributes
///
/// Write this one first, above those that rewrite bodies, as `#[tracing::instrument]` does: below, it
/// enters its span at each poll. Above, where the rewritten body shows it, and on a generator, which
/// would have its span entered only while it is made, it is refused. `#[must_use]` is about the
/// output in the plain form, and about the future with `send`, `boxed` or `yields`.
///
/// # Expands roughly to
///
/// Without `yields`, `send` and `boxed`, it becomes an `async fn`. The compiler sees an ordinary
/// one, so it captures lifetimes, drops arguments and reports mistakes as for every `async fn`, in
/// every edition.
///
/// ```
/// # use std::future::ready;
/// async fn length(text: &str) -> usize {
///     ready(text.len()).await
/// }
/// # assert_eq!(coro::run(length("four")), 4);
/// ```
///
/// With `yields`, it becomes a call that takes the body as an `async` block. Values pass between a
/// yield point and the caller through a slot on the caller's stack.
///
/// ```text
/// fn words<'a>(text: &'a str) -> Generator<&'a str, (), impl Future<Output = ()>> {
///     generator(move |co| async move {
///         let text = text;
///         for word in text.split(' ') {
///             yield_in(co, word).await;
///         }
///     })
/// }
/// ```
#[doc(inline)]
pub use coro_macros::coroutine;

/// Makes the bare `#[coroutine]` work on the functions inside.
///
/// It goes on an inline module, an impl or a trait, and makes `#[coroutine]` and `#[coroutine(..)]`
/// inside it mean [`macro@coroutine`], also in nested items, inside `cfg_attr`, and before functions
/// in a braced macro call that stands where an item may. Inside other macros write the path. Its
/// arguments `send` and `crate = path::to::coro` apply to all of them.
///
/// ```
/// use coro::yield_from;
///
/// struct Counter(u32);
///
/// #[coro::coroutines(send)]
/// impl Counter {
///     #[coroutine]
///     fn next(&mut self) -> u32 {
///         self.0 += 1;
///         self.0
///     }
///
///     #[coroutine]
///     fn skip_one(&mut self) -> u32 {
///         yield_from!(self.next());
///         yield_from!(self.next())
///     }
/// }
///
/// assert_eq!(coro::run(Counter(0).skip_one()), 2);
/// ```
#[doc(inline)]
pub use coro_macros::coroutines;

/// Runs `main` on an event loop.
///
/// The function becomes a plain one that [`run`]s its body as a coroutine, and returns the body's
/// value. It may be an `async fn`, and takes no arguments. `crate = path::to::coro` is the path of
/// this crate, if it is not `::coro`. With `tokio`, and the feature of that name, the loop runs inside
/// of a runtime of tokio, so that reqwest, `axum::serve` and their like work in its tasks; see
/// `compat::tokio`.
///
/// ```
/// use coro::yield_from;
///
/// #[coro::main]
/// fn main() -> Result<(), String> {
///     yield_from!(std::future::ready(Ok(())))
/// }
/// ```
///
/// Expands roughly to
///
/// ```
/// fn main() -> Result<(), String> {
///     async fn main() -> Result<(), String> {
///         std::future::ready(Ok(())).await
///     }
///     coro::run(main())
/// }
/// ```
#[cfg(feature = "std")]
#[doc(inline)]
pub use coro_macros::main;

/// Runs a test on an event loop of its own.
///
/// Its clock is virtual: when no task is ready, time jumps to the next deadline, so sleeping takes
/// no time and the test runs the same way each time. With `real`, the clock is real. With `tokio`, and
/// the feature of that name, it is real and a runtime of tokio is around the loop. Other
/// attributes of tests, such as `#[should_panic]`, go beside it; `#[test]` does not.
///
/// ```
/// # use std::time::Duration;
/// #[coro::test]
/// async fn patient() {
///     coro::sleep(Duration::from_secs(3600)).await;
/// }
///
/// #[coro::test(real)]
/// fn hasty() {
///     coro::yield_from!(coro::sleep(Duration::from_millis(1)));
/// }
/// ```
#[cfg(feature = "std")]
#[doc(inline)]
pub use coro_macros::test;
