//! Task-locals: values that belong to a task, to its calls, and to the tasks that it spawns.

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

use super::current::{self, Values};

/// The key of a value that belongs to a task, to its calls, and to the tasks that it spawns.
///
/// A counterpart of `contextvars.ContextVar`. [`scope`](Self::scope) gives a value to a future; the
/// value is there while that future is polled or dropped. Tasks, children of scopes and callouts
/// that are made meanwhile begin with a copy of all values that their maker has. Afterwards neither
/// side sees a value that the other sets. If no value is set, all this costs is one check of a flag.
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
#[doc(alias("ContextVar", "task_local"))]
pub struct TaskLocal<T: 'static> {
    /// Gives each key an address of its own, which is its identity.
    _place: u8,
    value: PhantomData<fn() -> T>,
}

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
    /// The other values are those of the task that polls it first. A value that the future
    /// [sets](Self::set) is gone when the future ends. Dropping it drops the future with its values
    /// in place.
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

    /// Replaces the value, for the rest of the innermost scope (of this key or another) and for the
    /// tasks that are spawned there.
    ///
    /// # Panics
    ///
    /// Outside of every [`scope`](Self::scope): there is no place for the value.
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
    let mut all = Vec::new();
    if let Some(values) = values {
        for (other, its) in values.iter() {
            if *other != key {
                all.push((*other, its.clone()));
            }
        }
    }
    all.push((key, value));
    Rc::new(all)
}

/// Calls `f` with these values in place.
pub(crate) fn call<R>(values: Values, f: impl FnOnce() -> R) -> R {
    let mut values = Some(values);
    let _inside = Inside::enter(&mut values);
    f()
}

/// Wraps the closure of a callout, so that it is called with the present values in place.
#[cold]
pub(super) fn inherit(f: Box<dyn FnOnce()>) -> impl FnOnce() {
    let values = current::values().unwrap_or_default();
    move || call(values, f)
}

/// Puts values in place for as long as this lives, and then the earlier ones back.
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
    /// A future that begins with the present values.
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
        // The key and its value, until the first poll.
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
