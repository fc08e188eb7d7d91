//! `LevelFd`: a descriptor that is known by its number only, and waited for level-triggered.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll};

use mio::unix::SourceFd;

use super::ready::{WaitingForReady, report_wait};
use crate::event_loop::{Direction, LoopHandle, Registration, WaitId};
use crate::sys::FileId;
use crate::task::looking;

/// A registered descriptor that stays another's: a caller holds it open, and may break that
/// promise.
///
/// It cannot be asked by `poll(2)`, which wants proof that the descriptor is open. The poller takes
/// a number: registered again, it brings an event for a descriptor that is ready by then.
pub(crate) struct LevelFd {
    fd: RawFd,
    file: Option<FileId>,
    registration: Registration,
    of: LoopHandle,
    ended: Cell<bool>,
}

impl LevelFd {
    #[inline]
    pub(crate) fn new(of: LoopHandle, fd: BorrowedFd<'_>) -> io::Result<Self> {
        let registration = of.register(&mut SourceFd(&fd.as_raw_fd()))?;
        Ok(LevelFd {
            fd: fd.as_raw_fd(),
            file: FileId::of(fd),
            registration,
            of,
            ended: Cell::new(false),
        })
    }

    #[inline]
    pub(crate) fn number(&self) -> RawFd {
        self.fd
    }

    /// Whether `fd` is the open file that was registered, and the poller still knows it.
    #[inline]
    pub(crate) fn is_of(&self, fd: BorrowedFd<'_>) -> bool {
        // The poller is asked first: it takes no files of a disk, whose locks a look at them might drop.
        self.ask().is_ok() && FileId::of(fd).is_none_or(|file| self.file == Some(file))
    }

    /// Waits until the direction is ready, even if it has been so since before the last wait.
    ///
    /// # Errors
    ///
    /// If the descriptor was closed, or its registration has ended.
    #[inline]
    pub(crate) async fn ready(&self, direction: Direction) -> io::Result<()> {
        let wait = self.registration.name_wait();
        let _waiting = WaitingForReady(&self.registration, direction, wait);
        self.registration.block(direction);
        let mut asked = false;
        poll_fn(|cx| self.poll_ready(direction, wait, &mut asked, cx)).await
    }

    #[inline]
    fn poll_ready(
        &self,
        direction: Direction,
        wait: WaitId,
        asked: &mut bool,
        cx: &Context<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = self.registration.poll_ready(direction, wait, cx);
        // Only now that the waiter is known: the poller is asked for directions with waiters.
        if polled.is_pending() && !std::mem::replace(asked, true) {
            self.ask()?;
        }
        if polled.is_pending() && looking::is_looking() {
            report_wait(direction, self.fd.into(), "a watched descriptor", None);
        }
        polled.map(Ok)
    }

    #[inline]
    fn ask(&self) -> io::Result<()> {
        if self.ended.get() {
            return Err(io::ErrorKind::NotFound.into()); // the number may be another's
        }
        let mut io = SourceFd(&self.fd);
        self.of.register_again(&mut io, &self.registration)
    }

    /// Ends the registration of a descriptor that is about to be closed.
    #[inline]
    pub(crate) fn end(&self) {
        if !self.ended.replace(true) {
            let mut io = SourceFd(&self.fd);
            self.of.deregister(&mut io, &self.registration);
        }
    }

    /// Ends the registration of a descriptor that was closed already. Its number may be that of
    /// another, which is registered itself.
    #[inline]
    pub(crate) fn abandon(&self) {
        if !self.ended.replace(true) {
            self.of.forget_closed(&self.registration);
        }
    }
}
