//! *asyncio, as Rust would have it.* Annotated functions become futures, generators and streams,
//! and an event loop runs them: on stable Rust, on one thread, in one order.
//!
//! # A program that grows
//!
//! A coroutine is a function with an attribute. Calling it runs nothing: it gives a future.
//! [`yield_from!`] waits for another one, and [`run`] makes a loop and runs one to its end.
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
//! Several at once: [`gather`] awaits them together, [`spawn`] makes a [`Task`] that the loop owns
//! and runs beside the one that spawned it. A [`timeout`] bounds either.
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
//! [`JoinError`] goes to whoever awaits it, and to the loop's exception handler if nobody does.
//! Cancelling is dropping: destructors are the clean-up, and nothing can refuse.
//!
//! With `yields = T` the function becomes a generator, which needs no loop: an iterator, a stream
//! if it is an `async fn`, or, with `resumes = R`, a coroutine that is sent values.
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
//! Functions that are called later, without a coroutine, are callouts: [`call_soon`],
//! [`call_later`], [`call_at`]. Sockets are in [`net`], with TLS in `net::tls` if the feature `tls`
//! is on, and protocols that are called back for what they receive; subprocesses in `process`,
//! signals in [`signal`], threads for what would block in [`threads`], locks, queues and channels
//! in [`sync`]. To keep a loop, stop it, or give it a virtual clock, make an [`EventLoop`]; other
//! threads reach it by a [`RemoteHandle`]. What runs when is written down at [`EventLoop`].
//!
//! # Tests
//!
//! `#[coro::test]` runs a test on a loop with a virtual clock: sleeping takes no time, and always
//! the same course.
//!
//! ```
//! # use std::time::Duration;
//! #[coro::test]
//! async fn an_hour_takes_a_moment() {
//!     coro::sleep(Duration::from_secs(3600)).await;
//! }
//! ```
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeIsCompiled;

#[cfg(doctest)]
#[doc = include_str!("../docs/guide.md")]
struct GuideIsCompiled;

pub use coro_core::{
    AsCompleted, Buffered, Builder, CallHandle, CancelOn, CancelToken, Cancelled, CoroExt,
    Deadline, Elapsed, ErrorReport, EventLoop, Gather, GroupClosed, GroupHandle, Interval,
    JoinError, LoopClosed, LoopHandle, Named, Policy, Race, RaceOk, RemoteHandle, RemoteTask,
    ReportKind, Retry, ReturnWhen, Scope, ScopeError, ScopedTask, Shield, Sleep, Stopped, Task,
    TaskGroup, TaskHandle, TaskId, TaskLocal, Timeout, TimerHandle, TryGather, TryScope,
    WaitCancelled, Waited, WithValue, YieldNow, as_completed, buffered, call_at, call_later,
    call_soon, current_task, fail_after, gather, interval, map_concurrent, move_on_after, race,
    race_ok, retry, run, scope, shield, sleep, sleep_until, spawn, staggered_race, timeout,
    timeout_at, try_gather, try_scope, wait, yield_now,
};
pub use coro_core::{net, signal, sync, threads};

#[cfg(unix)]
pub use coro_core::{FdWatch, process};

pub use coro_core::generator::{
    self, AsyncCoroutine, AsyncGenerator, BoxAsyncGenerator, BoxGenerator, Coroutine,
    CoroutineState, Generator, ResumeError, SendBoxAsyncGenerator, SendBoxGenerator, Status,
};
#[doc(hidden)]
pub use coro_core::macro_support as __private;

/// Waits for a future, or delegates to a coroutine, an iterator or a stream.
///
/// What it does depends on the operand, and on the coroutine that it stands in:
///
/// | operand | what happens | value of the expression | where |
/// |---|---|---|---|
/// | a future | we wait for it, as with `.await` | its output | without `yields`, or in an `async fn` |
/// | a coroutine with our `yields` and `resumes` | its yields go to our resumer, what we are resumed with goes to it | what it returns | with `yields` |
/// | an iterator of our `yields` | each item is yielded | `()` | with `yields`, without `resumes` |
/// | a stream of our `yields` | each item is awaited, then yielded | `()` | with `yields`, in an `async fn` |
///
/// It is the `yield from` of [PEP 380], with the errors of Rust: they are values, so that
/// `yield_from!(operand)?` raises what the operand returned. Closing a coroutine drops whatever it
/// delegates to, the innermost first. Delegation costs nothing: a coroutine of this crate becomes a
/// part of the one that delegates to it.
///
/// The operand is evaluated first, and its temporaries live until the end of the statement, as those
/// of `.await` do. The macro works in every position that an expression may have, in the arguments
/// of other macros, and under any name that it is imported by; but only in the body of a coroutine
/// itself. Closures and nested `async` blocks in it are state machines of their own, and there it
/// does not compile.
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

/// Hands a value to whoever resumes the coroutine, and evaluates to what it is resumed with.
///
/// `yield_!(value)` suspends the body of a `#[coro::coroutine(yields = T)]` function, where `value`
/// is a `T`. The value of the expression is what is handed in by [`Coroutine::resume`]: an `R` where
/// the function says `resumes = R`, or else `()`. `yield_!()` is `yield_!(())`.
///
/// It is the `yield` of Python, as [PEP 342] made an expression of it. There is no `throw` beside it:
/// with `resumes = Result<R, E>`, `yield_!(value)?` raises the error that was handed in.
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
/// Where it may stand is said at [`yield_from!`].
///
/// [PEP 342]: https://peps.python.org/pep-0342/
#[doc(inline)]
pub use coro_core::yield_;

/// Makes a coroutine of a function.
///
/// | written | called, it gives | its body may use |
/// |---|---|---|
/// | `#[coro::coroutine] fn f(..) -> T` | a future of `T` | [`yield_from!`] |
/// | `#[coro::coroutine] async fn f(..) -> T` | the same | and `.await` |
/// | `#[coro::coroutine(yields = Y)] fn f(..) -> T` | a [`Generator`] that yields `Y` and never waits | [`yield_!`], [`yield_from!`] |
/// | `#[coro::coroutine(yields = Y, resumes = R)] fn f(..) -> T` | a [`Generator`] that is resumed with `R` | the same |
/// | `#[coro::coroutine(yields = Y)] async fn f(..) -> T` | an [`AsyncGenerator`]: it waits and yields | and `.await` |
///
/// Nothing runs when the function is called: its arguments are moved into the coroutine, in order,
/// and are dropped with it as those of an `async fn` are.
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
/// The compiler has an unstable attribute called `coroutine` of its own, so that `use
/// coro::coroutine` makes the bare name ambiguous (E0659). Write the path, or use
/// [`macro@coroutines`], inside which the bare name is ours.
///
/// # Arguments
///
/// - **`yields = Y`**: what the coroutine yields. It may borrow from the arguments.
/// - **`resumes = R`**: what it is resumed with; `()` by default. Needs `yields`.
/// - **`send`**: promises that the coroutine is `Send`, and checks it. Outside of traits the compiler
///   finds out by itself. A default method with `&self` needs `where Self: Sync`.
/// - **`boxed`**: puts the body on the heap, one allocation a call: for recursion, and for methods of
///   traits that are used as `dyn Trait`. All that is borrowed must be visible in the types of the
///   arguments: `Words<'_>`, not `Words`. Without `yields` each level of a recursion takes stack
///   while it is polled: 2 MiB are enough for 6,000 levels of a small one in debug builds, and for
///   26,000 in release builds. With `yields` there is no such limit.
/// - **`crate = path::to::coro`**: the path of this crate, where it is not `::coro`.
///
/// # Traits
///
/// A method of a trait, required or provided, is annotated as any function is, and so is the method
/// that implements it, with the same arguments. An unannotated `async fn`, or one that returns `impl
/// Future`, can implement a coroutine without `boxed` and `yields`.
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
/// # Expands roughly to
///
/// Without `yields`, `send` and `boxed`, the `async fn` that it is. The compiler sees one, so that
/// lifetimes are captured, arguments dropped and mistakes reported as those of an `async fn` are, in
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
/// With `yields`, a call that takes the body as an `async` block. Values travel between a yield point
/// and the resumer through a slot on the resumer's stack.
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

/// Lets the bare `#[coroutine]` be written on the functions inside.
///
/// It goes on an inline module, an impl or a trait, and makes `#[coroutine]` and `#[coroutine(..)]` in
/// it mean [`macro@coroutine`], also in what is nested, and inside `cfg_attr`. Its arguments `send` and
/// `crate = path::to::coro` are handed down to all of them.
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
/// The function becomes a plain one that [`run`]s its body as a coroutine, and returns what the body
/// returns. It may be an `async fn`, and takes no arguments. `crate = path::to::coro` says where this
/// crate is, if it is not `::coro`.
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
#[doc(inline)]
pub use coro_macros::main;

/// Runs a test on an event loop of its own.
///
/// Its clock is virtual: when nothing else is left to do, time jumps to the next deadline, so that
/// sleeping takes no time and always the same course. With `real`, it is the clock on the wall.
/// Other attributes of tests, `#[should_panic]` for one, go beside it; `#[test]` does not.
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
#[doc(inline)]
pub use coro_macros::test;
