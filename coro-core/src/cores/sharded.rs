//! `Sharded`: a value of each core, of which every key has one.

use std::any::type_name;
use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hash};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::core_handle::CoreHandle;
use crate::error::JoinError;
use crate::sync::remote::oneshot;
use crate::task::budget;

/// A value of each core: together they hold the state of a program, split by keys.
///
/// A key lives on one of the cores, always the same. [`on`](Self::on) runs a closure there, with the
/// value of that core. Only its own core touches a value, so it needs no lock, and `T` need not be
/// `Send`. A value is made on its core when it is first needed, and dropped there when the run ends.
///
/// ```
/// use std::collections::HashMap;
///
/// use coro::cores::{Builder, Sharded};
///
/// let visits = Sharded::new(HashMap::<String, u32>::new);
/// let ran = Builder::new().threads(2).run(async |_| {
///     for page in ["/", "/about", "/"] {
///         let counted = visits.on(page, move |visits| {
///             *visits.entry(page.to_owned()).or_default() += 1;
///         });
///         counted.await.unwrap();
///     }
///     let total = visits.each(|visits| visits.values().sum::<u32>()).await;
///     assert!((3..=6).contains(&total.into_iter().map(Result::unwrap).sum::<u32>()));
/// });
/// ran.unwrap();
/// ```
///
/// # The order of calls
///
/// Calls from one core to another run in the order in which they were first polled. To send many at
/// once, await them together, by [`gather`](crate::group::gather); or let one closure do the work of
/// all keys that are [at home](Self::home) on one core, by [`on_core`](Self::on_core), which costs one
/// message.
#[doc(alias("partition", "shard", "distributed"))]
pub struct Sharded<T> {
    plan: Arc<Plan<T>>,
}

/// The part of all clones of a [`Sharded`].
struct Plan<T> {
    number: u64,
    hasher: RandomState,
    make: Box<dyn Fn() -> T + Send + Sync>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

impl<T: 'static> Sharded<T> {
    /// A value of each core, which `make` makes there.
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let plan = Plan {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            hasher: RandomState::new(), // clients that choose keys cannot aim at one core
            make: Box::new(make),
        };
        Sharded {
            plan: Arc::new(plan),
        }
    }

    /// The index of the core on which a key lives. Another `Sharded` and another run of the program
    /// spread their keys in another way.
    ///
    /// # Panics
    ///
    /// Outside of a core.
    #[track_caller]
    pub fn home<K: Hash + ?Sized>(&self, key: &K) -> usize {
        self.home_among(key, CoreHandle::current().count())
    }

    fn home_among<K: Hash + ?Sized>(&self, key: &K, cores: usize) -> usize {
        if cores == 1 {
            return 0;
        }
        (self.plan.hasher.hash_one(key) % cores as u64) as usize
    }

    /// Runs `f` on the core where `key` lives, with the value there, and gives its result.
    ///
    /// If that is the core of the calling task, `f` is called at once; otherwise a message takes it
    /// there, and the result back. It begins when the future is first polled. Dropping the future later
    /// loses the result, but `f` runs all the same.
    ///
    /// ```
    /// use coro::cores::{Builder, Core, Sharded};
    ///
    /// let total = Sharded::new(|| 0_u64);
    /// let ran = Builder::new().threads(2).run(async |_| {
    ///     let home = total.home("key");
    ///     let there = total.on("key", |total| {
    ///         *total += 1;
    ///         Core::current().index()
    ///     });
    ///     assert_eq!(there.await.unwrap(), home);
    /// });
    /// ran.unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`JoinError`] if `f` panicked, or the closure that makes the value did; the value stays as it
    /// was by then. It is "cancelled" if the loop of that core is closed, as at the end of the run.
    ///
    /// # Panics
    ///
    /// Outside of a core.
    #[track_caller]
    pub fn on<K, R, F>(
        &self,
        key: &K,
        f: F,
    ) -> impl Future<Output = Result<R, JoinError>> + use<T, K, R, F>
    where
        K: Hash + ?Sized,
        R: Send + 'static,
        F: FnOnce(&mut T) -> R + Send + 'static,
    {
        let core = CoreHandle::current();
        let home = self.home_among(key, core.count());
        self.plan.clone().send(core, home, f)
    }

    /// Runs `f` on the core with that index, as [`on`](Self::on) does: for the work of several keys
    /// that live there.
    ///
    /// # Errors
    ///
    /// As for [`on`](Self::on).
    ///
    /// # Panics
    ///
    /// Outside of a core, and if there is no such core.
    #[track_caller]
    pub fn on_core<R, F>(
        &self,
        index: usize,
        f: F,
    ) -> impl Future<Output = Result<R, JoinError>> + use<T, R, F>
    where
        R: Send + 'static,
        F: FnOnce(&mut T) -> R + Send + 'static,
    {
        let core = CoreHandle::current();
        let _ = core.team().loop_of(index); // refuses an index that no core has
        self.plan.clone().send(core, index, f)
    }

    /// Runs `f` on each core, on all at the same time, and gives the results in the order of their
    /// indices. It is no snapshot: a change that another task makes meanwhile may show on some cores.
    ///
    /// # Panics
    ///
    /// Outside of a core.
    pub async fn each<R: Send + 'static>(
        &self,
        f: impl Fn(&mut T) -> R + Clone + Send + 'static,
    ) -> Vec<Result<R, JoinError>> {
        let core = CoreHandle::current();
        let call = |index| self.plan.clone().send(core.clone(), index, f.clone());
        let calls = (0..core.count()).map(call);
        crate::group::gather(calls.collect::<Vec<_>>()).await
    }

    /// Calls `f` with the value of the present core, at once.
    ///
    /// # Panics
    ///
    /// Outside of a core; inside of another closure that has the same value; and with the panics of
    /// `f`.
    #[track_caller]
    pub fn here<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.plan.with_value(&CoreHandle::current(), f)
    }
}

#[inline]
fn call_on(core: usize) -> Box<str> {
    format!("a call on core {core}").into()
}

impl<T: 'static> Plan<T> {
    async fn send<R: Send + 'static>(
        self: Arc<Self>,
        core: CoreHandle,
        home: usize,
        f: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, JoinError> {
        if home == core.index() {
            poll_fn(budget::poll).await;
            return self.call(&core, f);
        }
        let (tell, told) = oneshot::channel();
        let sent = core.team().loop_of(home).post(move || {
            let called = self.call(&CoreHandle::current(), f);
            let _ = tell.send(called); // refused, the task that asked does not wait any more
        });
        let cancelled = || JoinError::cancelled(call_on(home));
        sent.map_err(|_| cancelled())?;
        told.await.unwrap_or_else(|_| Err(cancelled()))
    }

    fn call<R>(&self, core: &CoreHandle, f: impl FnOnce(&mut T) -> R) -> Result<R, JoinError> {
        let called = catch_unwind(AssertUnwindSafe(|| self.with_value(core, f)));
        called.map_err(|payload| JoinError::panicked(call_on(core.index()), payload))
    }

    #[track_caller]
    fn with_value<R>(&self, core: &CoreHandle, f: impl FnOnce(&mut T) -> R) -> R {
        let shard = core
            .seat()
            .shard(self.number, || RefCell::new((self.make)()));
        let Ok(mut value) = shard.try_borrow_mut() else {
            panic!(
                "the `Sharded<{}>` of this core is in use by a closure that is running: use the value \
                 that it was given",
                type_name::<T>()
            )
        };
        f(&mut value)
    }
}

impl<T> Clone for Sharded<T> {
    fn clone(&self) -> Self {
        Sharded {
            plan: self.plan.clone(),
        }
    }
}

impl<T> fmt::Debug for Sharded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded").finish_non_exhaustive()
    }
}
