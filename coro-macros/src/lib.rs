//! The attributes of `coro`.
//!
//! They are documented here, because editors show the documentation of a definition; the crate `coro`
//! re-exports them. The links lead to pages of that crate.

mod args;
mod arguments;
mod attribute;
mod awaits;
mod block;
mod body;
mod braces;
mod check;
mod coroutine;
mod coroutines;
mod corrections;
mod elided;
mod entry;
mod fallback;
mod input;
mod item;
mod lifetimes;
mod misplaced;
mod mistake;
mod names;
mod plain_types;
mod reading;
mod rewritten;
mod signature;
mod tokens;
mod types;

#[cfg(test)]
mod expansion;
#[cfg(test)]
mod half_typed;
#[cfg(test)]
mod mutations;

use proc_macro::TokenStream;

/// Makes a function a coroutine.
///
/// | written | called, it gives | its body may use |
/// |---|---|---|
/// | `#[coro::coroutine] fn f(..) -> T` | a future of `T` | [`yield_from!`](macro.yield_from.html) |
/// | `#[coro::coroutine] async fn f(..) -> T` | the same | and `.await` |
/// | `#[coro::coroutine(yields = Y)] fn f(..) -> T` | a [`Generator`](struct.Generator.html) that yields `Y` and never waits | [`yield_!`](macro.yield_.html), [`yield_from!`](macro.yield_from.html) |
/// | `#[coro::coroutine(yields = Y, resumes = R)] fn f(..) -> T` | a [`Generator`](struct.Generator.html) that is resumed with `R` | the same |
/// | `#[coro::coroutine(yields = Y)] async fn f(..) -> T` | an [`AsyncGenerator`](struct.AsyncGenerator.html): it waits and yields | and `.await` |
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
/// makes the bare name ambiguous (E0659). Write the path, or use [`coroutines`](attr.coroutines.html), which makes
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
/// # If the compiler says ..
///
/// - "cannot find macro `this_fn_needs_the_attribute_coro_coroutine`": [`yield_from!`](macro.yield_from.html)
///   stands in a function without this attribute.
/// - "`coroutine` is ambiguous": write `#[coro::coroutine]`, with the path.
/// - "method .. has an incompatible type for trait": write the same arguments, such as `boxed` and `send`, in
///   the trait and in the implementation.
/// - "recursion in an async fn requires boxing": add `boxed`.
/// - "yield syntax is experimental": write `yield_!(value)`, not the keyword.
/// - "the `?` operator can only be used in an async block that returns `Result`", of a generator: let it return
///   `Result<(), E>`, and use [`try_iter`](struct.Generator.html#method.try_iter).
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
#[doc(alias("async_trait", "async_recursion", "async def"))]
#[proc_macro_attribute]
pub fn coroutine(args: TokenStream, item: TokenStream) -> TokenStream {
    coroutine::expand(args.into(), item.into()).into()
}

/// Makes the bare `#[coroutine]` work on the functions inside.
///
/// It goes on an inline module, an impl or a trait, and makes `#[coroutine]` and `#[coroutine(..)]`
/// inside it mean [`coroutine`](attr.coroutine.html), also in nested items, inside `cfg_attr`, and before functions
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
#[proc_macro_attribute]
pub fn coroutines(args: TokenStream, item: TokenStream) -> TokenStream {
    coroutines::expand(args.into(), item.into()).into()
}

/// Runs `main` on an event loop.
///
/// The function becomes a plain one that [`run`](fn.run.html)s its body as a coroutine, and returns the body's
/// value. It may be an `async fn`, and takes no arguments.
///
/// With `threads = N` the body runs on each of N cores, on a loop and a thread of its own: tasks do not
/// move between them. Then the function takes the core that it runs on, as
/// [`cores::Builder::run`](cores/struct.Builder.html) gives it, and returns nothing or a `Result`. The
/// first failure of a core ends all, and is that of `main`.
///
/// `crate = path::to::coro` is the path of
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
/// ```
/// use coro::cores::Core;
///
/// #[coro::main(threads = 2)]
/// async fn main(core: Core) -> Result<(), String> {
///     println!("core {} of {}", core.index(), core.count());
///     Ok(())
/// }
/// ```
///
/// The first expands roughly to
///
/// ```
/// fn main() -> Result<(), String> {
///     async fn main() -> Result<(), String> {
///         std::future::ready(Ok(())).await
///     }
///     coro::run(main())
/// }
/// ```
#[doc(alias("worker_threads", "multi_thread", "thread_per_core"))]
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand_main(args.into(), item.into()).into()
}

/// Runs a test on an event loop of its own.
///
/// Its clock is virtual: when no task is ready, time jumps to the next deadline, so sleeping takes
/// no time and the test runs the same way each time. Other attributes of tests, such as
/// `#[should_panic]`, go beside it; `#[test]` does not.
///
/// | argument | the test runs |
/// |---|---|
/// | none | once, with a virtual clock; sockets and threads are real |
/// | `real` | once, with the real clock |
/// | `tokio` | once, with the real clock, inside of a runtime of tokio; needs the feature `tokio` |
/// | `sim` | once, in a [simulation](testing/index.html): first come, first served; a deadlock fails at once |
/// | `seeds = N` | N times in simulations, with orders, delays and faults that are drawn from the seeds 0 to N |
/// | `late = K` | in simulations, once for each order in which at most K wake-ups are late |
/// | `crate = path::to::coro` | with this crate at another path than `::coro` |
///
/// `seeds` and `late` may stand together. In a simulation the function may take its simulation, `sim:
/// &Sim`, and returns nothing or a `Result`. The first run that fails is shrunk, and the test fails
/// with its seed, the command that repeats it, and a chart of the shrunk run. The environment
/// variables `CORO_SEED` and `CORO_REPLAY` run one course only; `CORO_SEEDS` sets the number of
/// seeds.
///
/// ```
/// # use std::time::Duration;
/// use coro::testing::Sim;
///
/// #[coro::test]
/// async fn patient() {
///     coro::sleep(Duration::from_secs(3600)).await;
/// }
///
/// #[coro::test(real)]
/// fn hasty() {
///     coro::yield_from!(coro::sleep(Duration::from_millis(1)));
/// }
///
/// #[coro::test(seeds = 100)]
/// async fn careful(sim: &Sim) {
///     coro::sleep(Duration::from_millis(sim.choose(20).into())).await;
/// }
/// ```
#[doc(alias(
    "start_paused",
    "advance",
    "pause",
    "simulation",
    "turmoil",
    "madsim",
    "loom"
))]
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand_test(args.into(), item.into()).into()
}

/// Makes a generator of a block, in the midst of a function.
///
/// | written | it gives |
/// |---|---|
/// | `coro::generator!(yields = Y, { .. })` | a [`Generator`](struct.Generator.html), which borrows what it uses of its surroundings |
/// | `coro::generator!(yields = Y, move { .. })` | the same, which owns what it uses, and so can be returned |
/// | `coro::generator!(yields = Y, async { .. })`, `async move { .. }` | an [`AsyncGenerator`](struct.AsyncGenerator.html): a stream, which may wait |
/// | `coro::generator!(yields = Y, -> T { .. })` | one that returns a `T`; needed only if the compiler cannot infer it, as for `?` |
///
/// It takes the arguments of [`#[coro::coroutine]`](attr.coroutine.html), `yields` always and `resumes`, `boxed`,
/// `send` and `crate` as well, before the block. In the block stand [`yield_!`](macro.yield_.html) and
/// [`yield_from!`](macro.yield_from.html), as in the body of such a function, and it is
/// refused for the same mistakes. `return` and `?` end the block, not the function around it. None of the
/// block runs before the generator is started. The generator allocates nothing, unless it is `boxed`.
///
/// ```
/// use coro::yield_;
///
/// let words = vec!["so", "much", "depends"];
/// let lengths = coro::generator!(yields = usize, {
///     for word in &words {
///         yield_!(word.len());
///     }
/// });
/// assert_eq!(lengths.into_iter().sum::<usize>(), 13);
///
/// fn countdown(from: u32) -> impl Iterator<Item = u32> {
///     let numbers = coro::generator!(yields = u32, move {
///         for n in (1..=from).rev() {
///             yield_!(n);
///         }
///     });
///     numbers.into_iter()
/// }
/// assert!(countdown(3).eq([3, 2, 1]));
/// ```
///
/// A stream, whose errors come out as its last item:
///
/// ```
/// use std::num::ParseIntError;
/// use std::pin::pin;
/// use std::time::Duration;
///
/// use coro::io::TryStreamExt;
/// use coro::yield_;
///
/// coro::run(async {
///     let texts = ["1", "2", "x"];
///     let numbers = coro::generator!(yields = u32, async -> Result<(), ParseIntError> {
///         for text in texts {
///             coro::sleep(Duration::from_millis(1)).await;
///             yield_!(text.parse()?);
///         }
///         Ok(())
///     });
///     let mut numbers = pin!(numbers.try_stream());
///     assert_eq!(numbers.try_next().await, Ok(Some(1)));
///     assert_eq!(numbers.try_next().await, Ok(Some(2)));
///     assert!(numbers.try_next().await.is_err());
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "`limit` does not live long enough", or "closure may outlive the current function": write `move` before the block.
/// - "type annotations needed", at `Ok(())` or at `?`: write the type that the block returns, `-> Result<(), E>`,
///   before the block.
#[doc(alias("stream!", "try_stream!", "gen"))]
#[proc_macro]
pub fn generator(tokens: TokenStream) -> TokenStream {
    block::expand(tokens.into()).into()
}
