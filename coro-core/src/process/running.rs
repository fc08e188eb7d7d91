//! A running child, from its start until it is reaped; shared by all its waiters.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::process::{self, ExitStatus};
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{FutureExt, Shared};

use super::orphans;
use crate::event_loop::{Direction, LoopHandle, RemoteHandle};
use crate::sys::process as system;
use crate::sys::{Home, Pidfd};
use crate::task::{Step, looking};
use crate::wait::ready::{RegisteredIo, refused};

/// Dropping the last reference hands a child that still runs to the reaper.
pub(super) struct Running {
    id: u32,
    /// Signals go to the whole process group that the child leads.
    is_group: bool,
    /// The process whose child it is: a process that was forked from there may not end the child.
    home: Home,
    /// `None` only during the drop.
    child: RefCell<Option<process::Child>>,
    /// `None` once the child is reaped.
    watch: RefCell<Option<Watch>>,
}

/// The means by which the loop learns of the child's end.
#[derive(Clone)]
pub(super) enum Watch {
    Pidfd(Rc<RegisteredIo<Pidfd>>),
    /// A waiting thread, on systems without pidfds. The handle tells a virtual clock that the loop
    /// waits for something real.
    Thread(Shared<oneshot::Receiver<()>>, LoopHandle),
}

impl Running {
    #[inline]
    pub(super) fn new(child: process::Child, watch: Option<Watch>, is_group: bool) -> Rc<Self> {
        Rc::new(Running {
            id: child.id(),
            is_group,
            home: Home::new(),
            child: RefCell::new(Some(child)),
            watch: RefCell::new(watch),
        })
    }

    /// The process id; `None` once the child is reaped, because another process may get the number.
    #[inline]
    pub(super) fn id(&self) -> Option<u32> {
        self.watch.borrow().is_some().then_some(self.id)
    }

    /// Whether it is a child of this process, and not of the process that this was forked from.
    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        self.home.is_here()
    }

    /// Reaps the child if it has ended.
    #[inline]
    pub(super) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        let status = match self.child.borrow_mut().as_mut() {
            Some(child) => child.try_wait(),
            None => Ok(None),
        };
        if !matches!(status, Ok(None)) {
            let watch = self.watch.take();
            drop(watch); // waiters have a clone, and are still told
        }
        status.map_err(|error| stolen(self.id, error))
    }

    #[inline]
    pub(super) async fn wait(&self) -> io::Result<ExitStatus> {
        let watch = self.watch.borrow().clone();
        match watch {
            Some(Watch::Pidfd(ready)) => {
                let step = || Step::Child { pid: self.id };
                looking::shown(step, ready.io(Direction::Read, |_| self.ended())).await
            }
            Some(Watch::Thread(_, of)) if !of.is_current() => self.try_wait()?.ok_or_else(refused),
            Some(Watch::Thread(ended, of)) => {
                let _real: RemoteHandle = of.remote();
                let step = || Step::Child { pid: self.id };
                let _gone = looking::shown(step, ended).await; // the thread's end is the message
                self.ended()
            }
            None => self.ended(),
        }
    }

    #[inline]
    fn ended(&self) -> io::Result<ExitStatus> {
        self.try_wait()?.ok_or(io::ErrorKind::WouldBlock.into())
    }

    /// Does nothing once the child is reaped.
    #[inline]
    pub(super) fn send_signal(&self, signal: i32) -> io::Result<()> {
        let sent = match &*self.watch.borrow() {
            None => Ok(()),
            Some(_) if self.is_group => system::send_signal_to_group(self.id, signal),
            Some(Watch::Pidfd(ready)) => ready.get().send_signal(signal),
            Some(Watch::Thread(..)) => system::send_signal(self.id, signal),
        };
        match sent {
            Err(error) if system::is_no_such_process(&error) => Ok(()), // it was reaped elsewhere
            other => other,
        }
    }
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        if let (Some(_), Some(child)) = (self.watch.take(), self.child.take())
            && self.home.is_here()
        {
            orphans::adopt(child);
        }
    }
}

impl Watch {
    /// `None` if the child has been reaped already, which must have happened elsewhere.
    #[track_caller]
    #[inline]
    pub(super) fn new(id: u32) -> io::Result<Option<Self>> {
        match Pidfd::open(id).and_then(RegisteredIo::new) {
            Ok(ready) => Ok(Some(Watch::Pidfd(Rc::new(ready)))),
            Err(error) if system::is_no_such_process(&error) => Ok(None),
            Err(_) => Watch::by_thread(id).map(Some),
        }
    }

    #[inline]
    fn by_thread(id: u32) -> io::Result<Self> {
        let (alive, ended) = oneshot::channel();
        orphans::small_thread("coro-wait", move || {
            let _alive: oneshot::Sender<()> = alive;
            let _ = system::wait_until_ended(id); // an error means that it is gone, too
        })?;
        Ok(Watch::Thread(ended.shared(), LoopHandle::current()))
    }
}

#[inline]
fn stolen(id: u32, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), StatusStolen { id, error })
}

/// The error of a lost status; in practice the child no longer exists.
#[derive(Debug)]
struct StatusStolen {
    id: u32,
    error: io::Error,
}

impl fmt::Display for StatusStolen {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the exit status of process {} is lost, as something else in this program has waited \
             for it or has SIGCHLD ignored: {}",
            self.id, self.error
        )
    }
}

impl std::error::Error for StatusStolen {
    #[inline]
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
