//! A cell for a value that is made once, on demand.

use std::cell::{Cell, OnceCell as Value};
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;

use crate::task::budget;
use crate::wait::queue::{Service, Wait, WaitQueue};

/// A value that the first task that needs it makes, while the others wait.
///
/// If that task is cancelled, fails or panics, the next waiter makes the value.
///
/// ```
/// use coro::sync::OnceCell;
///
/// coro::run(async {
///     let config = OnceCell::new();
///     let read = async || {
///         coro::yield_now().await;
///         String::from("verbose")
///     };
///     let (one, other) = coro::gather((config.get_or_init(read), config.get_or_init(read))).await;
///     assert!(std::ptr::eq(one, other));
/// });
/// ```
///
/// A maker that needs the value that it is to make waits for itself, for ever.
#[doc(alias = "OnceLock")]
pub struct OnceCell<T> {
    value: Value<T>,
    being_made: Cell<bool>,
    waiters: WaitQueue<Role>,
}

pub(crate) enum Role {
    ToMake,
    Made,
}

impl<T> OnceCell<T> {
    /// A cell without a value.
    pub const fn new() -> Self {
        OnceCell {
            value: Value::new(),
            being_made: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// The value, if it has been made.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Sets the value, unless the cell has a value or one is being made.
    ///
    /// # Errors
    ///
    /// `value`, if it was not set.
    pub fn set(&self, value: T) -> Result<(), T> {
        match self.being_made.get() {
            true => Err(value),
            false => self.value.set(value),
        }
    }

    /// The value; made by `make` if there is none and no other task is making it.
    ///
    /// If there is a value, this does not suspend. Dropping the future drops `make` if it runs; the
    /// next waiter then runs its own.
    pub async fn get_or_init(&self, make: impl AsyncFnOnce() -> T) -> &T {
        let made = self.get_or_try_init(async || Ok::<_, Infallible>(make().await));
        match made.await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// As [`get_or_init`](Self::get_or_init), for a `make` that may fail.
    ///
    /// # Errors
    ///
    /// The error of `make`, to the task that passed it; the next waiter tries with its own.
    pub async fn get_or_try_init<E>(
        &self,
        make: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        if let Some(value) = self.get() {
            poll_fn(budget::poll).await;
            return Ok(value);
        }
        if let Role::ToMake = Wait::new(self, Role::ToMake).await {
            let _passed_on = PassOn(self);
            let value = make().await?;
            let _ = self.value.set(value); // no other task could meanwhile
        }
        Ok(self.get().expect("served when it is made"))
    }

    /// The value, if there is one; `&mut self` shows that it is not being made.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Consumes the cell and gives its value.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// A task has stopped making the value, with or without success: serves the waiters.
    fn pass_on(&self) {
        self.being_made.set(false);
        if self.value.get().is_some() {
            self.waiters.serve_while(|turn| {
                *turn = Role::Made;
                true
            });
        } else if !self.waiters.is_empty() {
            self.being_made.set(true);
            self.waiters.serve(|_| true);
        }
    }
}

/// Held by the task that makes the value; dropping it serves the waiters.
struct PassOn<'a, T>(&'a OnceCell<T>);

impl<T> Drop for PassOn<'_, T> {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

impl<T> Service for OnceCell<T> {
    type Request = Role;

    fn queue(&self) -> &WaitQueue<Role> {
        &self.waiters
    }

    fn would_serve(&self, _: &Role) -> bool {
        self.value.get().is_some() || !self.being_made.get()
    }

    fn try_serve(&self, turn: &mut Role) -> bool {
        if self.value.get().is_some() {
            *turn = Role::Made;
            return true;
        }
        !self.being_made.replace(true)
    }

    fn abandoned(&self, turn: Role, served: bool) {
        if served && matches!(turn, Role::ToMake) {
            self.pass_on();
        }
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        OnceCell::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("OnceCell");
        match self.get() {
            Some(value) => debug.field(value),
            None if self.being_made.get() => debug.field(&format_args!("<being made>")),
            None => debug.field(&format_args!("<empty>")),
        };
        debug.finish()
    }
}
