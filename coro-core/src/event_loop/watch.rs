//! Callbacks that are called whenever a descriptor is ready.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::rc::Rc;

use mio::unix::SourceFd;

use super::source::Notify;
use super::{Core, Direction, LoopHandle, Registration, WaitId};
use crate::sys::FileId;
use crate::task::{Scheduler, context, current as inside};

/// The watched descriptors of a loop, by their numbers.
#[derive(Default)]
pub(super) struct Watches(RefCell<HashMap<RawFd, Rc<Watched>>>);

/// A descriptor with a callback for one direction, or one for each.
pub(super) struct Watched {
    fd: RawFd,
    file: Option<FileId>,
    registration: Registration,
    read: RefCell<Option<Rc<Callback>>>,
    write: RefCell<Option<Rc<Callback>>>,
}

struct Callback {
    origin: &'static Location<'static>,
    /// Empty while it is called, and once it is removed.
    call: RefCell<Option<Box<dyn FnMut()>>>,
    queued: Cell<bool>,
    removed: Cell<bool>,
}

/// Keeps a callback at a descriptor; made by [`LoopHandle::add_reader`] and
/// [`LoopHandle::add_writer`].
///
/// Dropping it removes the callback, at once and even from within the callback, and gives the
/// descriptor back to whoever lent it; one that was given to it is closed.
#[must_use = "dropping it removes the callback"]
pub struct FdWatch<T: AsFd> {
    watched: Rc<Watched>,
    callback: Rc<Callback>,
    direction: Direction,
    of: LoopHandle,
    io: T,
}

impl LoopHandle {
    /// Has the loop call `callback` whenever `io` can be read from.
    ///
    /// The counterpart of `loop.add_reader`: the callback is called again and again, in turn with
    /// everything else, for as long as there is something to read, an end of file or an error; so
    /// one that does not read it all is called again. A descriptor can have one such callback and
    /// one for writing; adding another takes the place of the one before. A panic in the callback
    /// is reported as one of a callout, and the callback stays. It is called with the values that
    /// [task-locals](crate::task::TaskLocal) have when it is added.
    ///
    /// `io` is anything with a descriptor: a reference, or an `Rc` of a socket that the callback
    /// shares, or the socket itself. It is kept in the guard that this gives, so that it cannot be
    /// closed while it is watched. Whether reading from it blocks is its own affair; set it not to,
    /// if others read from it too.
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
    /// If the loop is closed.
    #[track_caller]
    pub fn add_reader<T: AsFd>(
        &self,
        io: T,
        callback: impl FnMut() + 'static,
    ) -> io::Result<FdWatch<T>> {
        self.check_open("add_reader");
        self.watch(io, Direction::Read, Location::caller(), Box::new(callback))
    }

    /// Has the loop call `callback` whenever `io` can be written to.
    ///
    /// The counterpart of `loop.add_writer`; everything is as for [`add_reader`](Self::add_reader).
    /// Most descriptors can be written to most of the time, and then the callback is called in
    /// every turn: drop the guard when there is nothing left to write.
    ///
    /// # Errors
    ///
    /// As for [`add_reader`](Self::add_reader).
    ///
    /// # Panics
    ///
    /// If the loop is closed.
    #[track_caller]
    pub fn add_writer<T: AsFd>(
        &self,
        io: T,
        callback: impl FnMut() + 'static,
    ) -> io::Result<FdWatch<T>> {
        self.check_open("add_writer");
        self.watch(io, Direction::Write, Location::caller(), Box::new(callback))
    }

    fn watch<T: AsFd>(
        &self,
        io: T,
        direction: Direction,
        origin: &'static Location<'static>,
        call: Box<dyn FnMut()>,
    ) -> io::Result<FdWatch<T>> {
        let callback = Rc::new(Callback {
            origin,
            call: RefCell::new(Some(inherit(call))),
            queued: Cell::new(false),
            removed: Cell::new(false),
        });
        let watched = self.core().watched(io.as_fd(), direction)?;
        let before = watched.side(direction).replace(Some(callback.clone()));
        let armed = watched.arm(direction, self.core());
        if let Some(before) = before {
            before.remove();
        }
        if let Err(error) = armed {
            watched.remove(direction, &callback, self.core());
            return Err(error);
        }
        Ok(FdWatch {
            watched,
            callback,
            direction,
            of: self.clone(),
            io,
        })
    }
}

impl<T: AsFd> FdWatch<T> {
    /// What is watched.
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
        self.watched
            .remove(self.direction, &self.callback, self.of.core());
        self.callback.remove();
    }
}

impl<T: AsFd> fmt::Debug for FdWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdWatch")
            .field("fd", &self.watched.fd)
            .field("direction", &self.direction)
            .finish()
    }
}

impl Core {
    /// What is known of a descriptor that is watched; one that was not is registered.
    fn watched(&self, fd: BorrowedFd<'_>, direction: Direction) -> io::Result<Rc<Watched>> {
        let (number, file) = (fd.as_raw_fd(), FileId::of(fd));
        let known = self.reactor.watches.0.borrow().get(&number).cloned();
        if let Some(watched) = known {
            if watched.file == file && watched.is_registered(self) {
                return Ok(watched);
            }
            self.abandon(&watched);
        }
        let registration = self
            .reactor
            .register(&mut SourceFd(&number), interest(direction))?;
        let watched = Rc::new(Watched {
            fd: number,
            file,
            registration,
            read: RefCell::default(),
            write: RefCell::default(),
        });
        self.reactor
            .watches
            .0
            .borrow_mut()
            .insert(number, watched.clone());
        Ok(watched)
    }

    /// Gives up a descriptor that was closed while it was watched, as when its guard was forgotten.
    /// Its number is another's by now, which may be registered itself.
    fn abandon(&self, watched: &Rc<Watched>) {
        self.reactor.watches.0.borrow_mut().remove(&watched.fd);
        self.reactor.forget(&watched.registration);
        for direction in [Direction::Read, Direction::Write] {
            let callback = watched.side(direction).take();
            if let Some(callback) = callback {
                callback.remove();
            }
        }
    }

    /// Removes all callbacks: also those that destructors add meanwhile.
    pub(super) fn drop_callbacks(&self) {
        let next = || {
            let watches = self.reactor.watches.0.borrow();
            watches.values().find_map(Watched::any_callback)
        };
        while let Some((watched, direction, callback)) = next() {
            watched.remove(direction, &callback, self);
            self.scheduler.contain_drop(|| callback.remove());
        }
    }
}

impl Watched {
    fn side(&self, direction: Direction) -> &RefCell<Option<Rc<Callback>>> {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    fn any_callback(self: &Rc<Self>) -> Option<(Rc<Self>, Direction, Rc<Callback>)> {
        [Direction::Read, Direction::Write]
            .into_iter()
            .find_map(|direction| {
                let callback = self.side(direction).borrow().clone()?;
                Some((self.clone(), direction, callback))
            })
    }

    fn interest(&self) -> Option<mio::Interest> {
        let of = |direction| {
            let watched = self.side(direction).borrow().is_some();
            watched.then(|| interest(direction))
        };
        match (of(Direction::Read), of(Direction::Write)) {
            (Some(read), Some(write)) => Some(read | write),
            (read, write) => read.or(write),
        }
    }

    /// Whether the poller still knows the descriptor.
    fn is_registered(&self, core: &Core) -> bool {
        let Some(interest) = self.interest() else {
            return true;
        };
        let again =
            core.reactor
                .register_again(&mut SourceFd(&self.fd), &self.registration, interest);
        !again.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Has the next event of the direction, which comes at once if it is ready, queue its callback.
    fn arm(self: &Rc<Self>, direction: Direction, core: &Core) -> io::Result<()> {
        let Some(interest) = self.interest() else {
            return Ok(());
        };
        let wake = Notify::Callback(self.clone(), direction);
        self.registration.set_wake(direction, wake);
        core.reactor
            .register_again(&mut SourceFd(&self.fd), &self.registration, interest)
    }

    /// The direction has had an event: its callback joins the queue of the loop.
    pub(super) fn enqueue(self: Rc<Self>, direction: Direction, scheduler: &Rc<Scheduler>) {
        let callback = self.side(direction).borrow().clone();
        if let Some(callback) = callback.filter(|callback| !callback.queued.replace(true)) {
            let origin = callback.origin;
            scheduler.call_soon(origin, move || self.call(direction, callback));
        }
    }

    fn call(self: Rc<Self>, direction: Direction, callback: Rc<Callback>) {
        callback.queued.set(false);
        let call = callback.call.take();
        if let Some(call) = call {
            let mut calling = Calling {
                watched: self,
                direction,
                callback,
                call: Some(call),
            };
            calling.call();
        }
    }

    /// Takes a callback away, unless another has taken its place.
    fn remove(&self, direction: Direction, callback: &Rc<Callback>, core: &Core) {
        let is_it = |set: &mut Rc<Callback>| Rc::ptr_eq(set, callback);
        let removed = self.side(direction).borrow_mut().take_if(is_it);
        if removed.is_none() {
            return;
        }
        self.registration.forget(direction, WaitId::CALLBACK);
        let mut io = SourceFd(&self.fd);
        match self.interest() {
            Some(rest) => {
                // It fails only for a descriptor that was closed all the same.
                let _ = core
                    .reactor
                    .register_again(&mut io, &self.registration, rest);
            }
            None => {
                core.reactor.deregister(&mut io, &self.registration);
                core.reactor.watches.0.borrow_mut().remove(&self.fd);
            }
        }
    }
}

impl Callback {
    /// Drops the closure; one that is just being called is dropped after its return.
    fn remove(&self) {
        self.removed.set(true);
        let call = self.call.take();
        drop(call);
    }
}

/// A callback that is being called; however that ends, it is put back and armed for the next time.
struct Calling {
    watched: Rc<Watched>,
    direction: Direction,
    callback: Rc<Callback>,
    call: Option<Box<dyn FnMut()>>,
}

impl Calling {
    fn call(&mut self) {
        if let Some(call) = &mut self.call {
            call();
        }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        if self.callback.removed.get() {
            return;
        }
        *self.callback.call.borrow_mut() = self.call.take();
        if let Some(current) = LoopHandle::try_current() {
            // It fails only for a descriptor that was closed all the same.
            let _ = self.watched.arm(self.direction, current.core());
        }
    }
}

/// The callback, called with the values that task-locals have now.
fn inherit(mut call: Box<dyn FnMut()>) -> Box<dyn FnMut()> {
    match inside::values() {
        None => call,
        Some(values) => Box::new(move || context::call(values.clone(), &mut call)),
    }
}

fn interest(direction: Direction) -> mio::Interest {
    match direction {
        Direction::Read => mio::Interest::READABLE,
        Direction::Write => mio::Interest::WRITABLE,
    }
}
