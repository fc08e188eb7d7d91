//! Values that belong to a task, to what it calls, and to what it spawns.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::current;
use super::join::Task;
use super::queue::Origin;
use super::scheduler::Scheduler;

/// The key of a value that belongs to a task, to what it calls, and to what it spawns.
///
/// A counterpart of `contextvars.ContextVar`. A value is given to a future with
/// [`scope`](Self::scope), and is there while that future is polled or dropped. What is spawned
/// meanwhile, tasks and children of scopes, and callouts that are registered, begin with a copy of
/// all values that their maker has; afterwards neither sees what the other sets. Where no value is
/// set, none of this costs anything but one look.
///
/// Values never leave their thread: jobs of other threads and futures sent by a
/// [`RemoteHandle`](crate::event_loop::RemoteHandle) begin with none.
///
/// ```
/// static REQUEST: coro::TaskLocal<u64> = coro::TaskLocal::new();
///
/// async fn log(text: &str) -> String {
///     format!("request {}: {text}", REQUEST.get().unwrap_or_default())
/// }
///
/// coro::run(async {
///     let served = REQUEST.scope(17, async {
///         let beside = coro::spawn(log("beside"));
///         (log("called").await, beside.await.unwrap())
///     });
///     assert_eq!(served.await, ("request 17: called".into(), "request 17: beside".into()));
///     assert_eq!(REQUEST.get(), None);
/// });
/// ```
pub struct TaskLocal<T: 'static> {
    /// So that each key has an address of its own, which is its identity.
    _place: u8,
    value: PhantomData<fn() -> T>,
}

/// All values of a task, by the addresses of their keys; few, as a rule.
pub(crate) type Values = Rc<Vec<(usize, Rc<dyn Any>)>>;

impl<T: 'static> TaskLocal<T> {
    /// A key, for a `static`.
    #[expect(
        clippy::new_without_default,
        reason = "a key that is no static is of no use"
    )]
    pub const fn new() -> Self {
        TaskLocal {
            _place: 0,
            value: PhantomData,
        }
    }

    /// Awaits `future`, for which the key's value is `value`.
    ///
    /// The other values are those of whoever polls it first. What the future [sets](Self::set) is
    /// gone when it ends. Dropping it drops the future with its values in place.
    pub fn scope<F: IntoFuture>(&'static self, value: T, future: F) -> WithValue<F::IntoFuture> {
        WithValue {
            added: Some((self.key(), Rc::new(value))),
            inner: InContext {
                values: None,
                future: Some(future.into_future()),
            },
        }
    }

    /// Calls `f`, for which the key's value is `value`.
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        call(with_value(current::values(), self.key(), Rc::new(value)), f)
    }

    /// Replaces the value, for what comes after in the innermost scope of whatever key, and for
    /// what is spawned there.
    ///
    /// # Panics
    ///
    /// Outside of every [`scope`](Self::scope), where there is no place for it.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        assert!(
            current::has_values(),
            "set() on a task-local outside of every scope(): wrap the future that is to have it in \
             scope(value, future)"
        );
        let values = with_value(current::values(), self.key(), Rc::new(value));
        let before = current::replace_values(Some(values));
        drop(before);
    }

    /// Calls `f` with the value, if there is one.
    pub fn with<R>(&'static self, f: impl FnOnce(Option<&T>) -> R) -> R {
        let value = self.value();
        f(value.as_ref().and_then(|value| value.downcast_ref()))
    }

    /// A clone of the value, if there is one.
    pub fn get(&'static self) -> Option<T>
    where
        T: Clone,
    {
        self.with(|value| value.cloned())
    }

    fn key(&'static self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn value(&'static self) -> Option<Rc<dyn Any>> {
        let values = current::values()?;
        let (_, value) = values.iter().find(|(key, _)| *key == self.key())?;
        Some(value.clone())
    }
}

impl<T> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocal").finish_non_exhaustive()
    }
}

fn with_value(values: Option<Values>, key: usize, value: Rc<dyn Any>) -> Values {
    let others = values.iter().flat_map(|values| values.iter());
    let others = others.filter(|(other, _)| *other != key).cloned();
    Rc::new(others.chain([(key, value)]).collect())
}

/// Calls `f` with these values in place.
pub(crate) fn call<R>(values: Values, f: impl FnOnce() -> R) -> R {
    let mut values = Some(values);
    let _inside = Inside::enter(&mut values);
    f()
}

impl Scheduler {
    /// Makes a task that begins with the present values. That is rare, so it is compiled for each
    /// type of output only, not of future.
    #[cold]
    pub(super) fn spawn_inheriting<T: 'static>(
        self: &Rc<Self>,
        future: Pin<Box<dyn Future<Output = T>>>,
        origin: Origin,
        eager: bool,
    ) -> Task<T> {
        self.spawn_bare(InContext::inherit(future), origin, eager)
    }
}

/// A callout's closure that is called with the present values in place.
#[cold]
pub(super) fn inherit(f: Box<dyn FnOnce()>) -> impl FnOnce() {
    let values = current::values().unwrap_or_default();
    move || call(values, f)
}

/// These values are in place for as long as this lives; then again those of before.
struct Inside<'a>(&'a mut Option<Values>);

impl<'a> Inside<'a> {
    fn enter(values: &'a mut Option<Values>) -> Self {
        *values = current::replace_values(values.take());
        Inside(values)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        *self.0 = current::replace_values(mem::take(self.0));
    }
}

pin_project! {
    /// A future that is polled and dropped with values of its own in place.
    pub(crate) struct InContext<F> {
        values: Option<Values>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = Inside::enter(this.values);
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    /// The future begins with the present values.
    pub(crate) fn inherit(future: F) -> Self {
        InContext {
            values: current::values(),
            future: Some(future),
        }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _inside = Inside::enter(this.values);
        let future = this.future.as_pin_mut();
        future.expect("taken by drop alone").poll(cx)
    }
}

pin_project! {
    /// The future of [`TaskLocal::scope`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct WithValue<F> {
        // Until the first poll.
        added: Option<(usize, Rc<dyn Any>)>,
        #[pin]
        inner: InContext<F>,
    }
}

impl<F: Future> Future for WithValue<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Some((key, value)) = this.added.take() {
            *this.inner.as_mut().project().values = Some(with_value(current::values(), key, value));
        }
        this.inner.poll(cx)
    }
}

impl<F> fmt::Debug for WithValue<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithValue(..)")
    }
}
