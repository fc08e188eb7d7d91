//! `FdWatch`: a callback that is called whenever a descriptor is ready.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::rc::Rc;

use crate::event_loop::{Direction, LoopHandle};
use crate::task::{TaskHandle, context, current as inside};
use crate::wait::level::LevelFd;

/// The descriptors of a loop that have callbacks, by their numbers.
#[derive(Default)]
struct Watches(RefCell<HashMap<RawFd, Rc<Watched>>>);

/// A descriptor with a callback for one direction, or one for each.
struct Watched {
    fd: LevelFd,
    read: RefCell<Option<Caller>>,
    write: RefCell<Option<Caller>>,
}

/// A callback, with the task that calls it.
#[derive(Clone)]
struct Caller {
    callback: Rc<Callback>,
    task: TaskHandle,
}

struct Callback {
    origin: &'static Location<'static>,
    /// Empty while it is called, and once it is removed.
    call: Cell<Option<Box<dyn FnMut()>>>,
    removed: Cell<bool>,
}

/// Keeps a callback at a descriptor; made by [`LoopHandle::add_reader`] and
/// [`LoopHandle::add_writer`].
///
/// Dropping it removes the callback, at once and even from within the callback. A borrowed
/// descriptor stays open; an owned one is closed.
#[must_use = "dropping it removes the callback"]
pub struct FdWatch<T: AsFd> {
    watched: Rc<Watched>,
    caller: Caller,
    direction: Direction,
    of: LoopHandle,
    io: T,
}

impl LoopHandle {
    /// Has the loop call `callback` whenever `io` can be read from. Unix only.
    ///
    /// The counterpart of `loop.add_reader`. The callback is called once a turn for as long as
    /// there is something to read, an end of file or an error; so a callback that does not read
    /// everything is called again. A descriptor can have one such callback and one for writing;
    /// adding another replaces the one before. A panic in the callback is reported as one of a
    /// callout, and the callback stays. It is called with the values that
    /// [task-locals](crate::task::TaskLocal) have when it is added. A task of the loop calls it,
    /// until the guard is dropped; cancelling that task removes the callback too.
    ///
    /// `io` is anything with a descriptor: a reference, or an `Rc` of a socket that the callback
    /// shares, or the socket itself. The guard that this returns keeps it, so that it cannot be
    /// closed while it is watched. This does not set the descriptor not to block; do so if others
    /// read from it too.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    /// use std::rc::Rc;
    ///
    /// let (ours, mut theirs) = UnixStream::pair()?;
    /// theirs.write_all(b"hello")?;
    /// coro::run(async move {
    ///     let ours = Rc::new(ours);
    ///     let (tell, told) = futures::channel::oneshot::channel();
    ///     let mut tell = Some(tell);
    ///     let _watch = coro::LoopHandle::current().add_reader(ours.clone(), move || {
    ///         let mut bytes = [0; 16];
    ///         let len = (&*ours).read(&mut bytes).unwrap();
    ///         let _ = tell.take().unwrap().send(bytes[..len].to_vec());
    ///     })?;
    ///     assert_eq!(told.await.unwrap(), b"hello");
    ///     std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the system cannot wait for the descriptor, as for a regular file, or if the loop waits
    /// for it already, as it does for a socket of [`net`](crate::net).
    ///
    /// # Panics
    ///
    /// If the loop is closed, and in a [simulation](crate::testing).
    #[track_caller]
    pub fn add_reader<T: AsFd>(
        &self,
        io: T,
        callback: impl FnMut() + 'static,
    ) -> io::Result<FdWatch<T>> {
        self.check_open("add_reader");
        self.watch(io, Direction::Read, Location::caller(), Box::new(callback))
    }

    /// Has the loop call `callback` whenever `io` can be written to. Unix only.
    ///
    /// The counterpart of `loop.add_writer`; everything is as for [`add_reader`](Self::add_reader).
    /// Most descriptors can be written to most of the time, and then the callback is called in
    /// every turn: drop the guard when all is written.
    ///
    /// # Errors
    ///
    /// As for [`add_reader`](Self::add_reader).
    ///
    /// # Panics
    ///
    /// If the loop is closed, and in a [simulation](crate::testing).
    #[track_caller]
    pub fn add_writer<T: AsFd>(
        &self,
        io: T,
        callback: impl FnMut() + 'static,
    ) -> io::Result<FdWatch<T>> {
        self.check_open("add_writer");
        self.watch(io, Direction::Write, Location::caller(), Box::new(callback))
    }

    #[track_caller]
    fn watch<T: AsFd>(
        &self,
        io: T,
        direction: Direction,
        origin: &'static Location<'static>,
        call: Box<dyn FnMut()>,
    ) -> io::Result<FdWatch<T>> {
        Self::refuse_in_simulation("foreign descriptor");
        let watched = self.kept::<Watches>().watched(self, io.as_fd())?;
        let callback = Rc::new(Callback {
            origin,
            call: Cell::new(Some(inherit(call))),
            removed: Cell::new(false),
        });
        let calling = Calling {
            watched: watched.clone(),
            direction,
            callback: callback.clone(),
        };
        let task = self.spawn_from(origin, calling.call_while_ready()).handle();
        let caller = Caller { callback, task };
        let before = watched.side(direction).replace(Some(caller.clone()));
        let watch = FdWatch {
            watched,
            caller,
            direction,
            of: self.clone(),
            io,
        };
        if let Some(before) = before {
            before.end(); // foreign code: its panic drops the new guard
        }
        Ok(watch)
    }
}

impl<T: AsFd> FdWatch<T> {
    /// The owner of the descriptor, or the reference to it, that was passed in.
    pub fn get_ref(&self) -> &T {
        &self.io
    }
}

impl<T: AsFd> AsFd for FdWatch<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl<T: AsFd> Drop for FdWatch<T> {
    fn drop(&mut self) {
        let watches = self.of.kept::<Watches>();
        watches.remove(&self.watched, self.direction, &self.caller);
        self.caller.end();
    }
}

impl<T: AsFd> fmt::Debug for FdWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdWatch")
            .field("fd", &self.watched.fd.number())
            .field("direction", &self.direction)
            .finish()
    }
}

impl Watches {
    /// The entry of a descriptor; without one it is registered.
    #[inline]
    fn watched(&self, of: &LoopHandle, fd: BorrowedFd<'_>) -> io::Result<Rc<Watched>> {
        let known = self.0.borrow().get(&fd.as_raw_fd()).cloned();
        if let Some(watched) = known {
            if watched.fd.is_of(fd) {
                return Ok(watched);
            }
            self.abandon(&watched);
        }
        let watched = Rc::new(Watched {
            fd: LevelFd::new(of.clone(), fd)?,
            read: RefCell::default(),
            write: RefCell::default(),
        });
        self.0.borrow_mut().insert(fd.as_raw_fd(), watched.clone());
        Ok(watched)
    }

    /// Ends the callbacks of a descriptor that was closed while it was watched, as when its guard
    /// was forgotten.
    #[inline]
    fn abandon(&self, watched: &Watched) {
        self.0.borrow_mut().remove(&watched.fd.number());
        watched.fd.abandon();
        for direction in [Direction::Read, Direction::Write] {
            if let Some(caller) = watched.side(direction).take() {
                caller.end();
            }
        }
    }

    /// Takes a caller away, unless another has replaced it; the last one takes its descriptor
    /// along.
    #[inline]
    fn remove(&self, watched: &Watched, direction: Direction, caller: &Caller) {
        let is_it = |set: &mut Caller| Rc::ptr_eq(&set.callback, &caller.callback);
        let removed = watched.side(direction).borrow_mut().take_if(is_it);
        if removed.is_some() && watched.read.borrow().is_none() && watched.write.borrow().is_none()
        {
            self.0.borrow_mut().remove(&watched.fd.number());
            watched.fd.end();
        }
    }
}

impl Watched {
    #[inline]
    fn side(&self, direction: Direction) -> &RefCell<Option<Caller>> {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }
}

impl Caller {
    #[inline]
    fn end(&self) {
        self.task.cancel();
        self.callback.remove();
    }
}

impl Callback {
    /// Calls the closure; gives whether it is to be called again.
    #[inline]
    fn call(&self) -> bool {
        let Some(mut call) = self.call.take() else {
            return false;
        };
        let current = LoopHandle::current();
        current.call_now(self.origin, &mut call);
        match self.removed.get() {
            true => current.call_now(self.origin, || drop(call)),
            false => self.call.set(Some(call)),
        }
        !self.removed.get()
    }

    /// Drops the closure; one that is just being called is dropped after its return.
    #[inline]
    fn remove(&self) {
        self.removed.set(true);
        let call = self.call.take();
        drop(call);
    }
}

/// The calls of a callback; dropping this, as the loop does when it is closed, removes the
/// callback.
struct Calling {
    watched: Rc<Watched>,
    direction: Direction,
    callback: Rc<Callback>,
}

impl Calling {
    #[inline]
    async fn call_while_ready(self) {
        // It fails only for a descriptor that was closed all the same.
        while self.watched.fd.ready(self.direction).await.is_ok() && self.callback.call() {}
    }
}

impl Drop for Calling {
    #[inline]
    fn drop(&mut self) {
        self.callback.remove();
    }
}

/// The callback, called with the values that task-locals have now.
#[inline]
fn inherit(mut call: Box<dyn FnMut()>) -> Box<dyn FnMut()> {
    match inside::values() {
        None => call,
        Some(values) => Box::new(move || context::call(values.clone(), &mut call)),
    }
}
