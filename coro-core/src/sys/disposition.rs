//! Restores a signal's default action while it has no listener.

use std::ffi::c_int;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use signal_hook::SigId;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use signal_hook::low_level::{signal_name, unregister};

use super::sigint;
use super::signals::has_default_action;
use crate::panics::unpoisoned;

/// The kinds of signals that ever had a listener. A handler of signal-hook stays for good, so it
/// must be told when to perform the default action again.
static KINDS: Mutex<Kinds> = Mutex::new(Vec::new());

/// A few, so a list: a tree would be more code in each program than all else here.
type Kinds = Vec<(c_int, Kind)>;

#[derive(Default)]
struct Kind {
    listeners: usize,
    /// Runs of the loop that the signal interrupts while it has no listener.
    runs: usize,
    /// It has lost its default action for good.
    is_taken: bool,
    /// True while the signal has no listener; the handler then performs the default action. `None`
    /// if the program ignored the signal before, or had a handler for it, which is still called.
    unheard: Option<Arc<AtomicBool>>,
}

/// A listener's registration, until it is dropped.
pub(crate) struct ListenerGuard {
    signal: c_int,
    handler: SigId,
}

/// A run that `SIGINT` interrupts, until this is dropped.
pub(crate) struct Interruptible(());

#[inline]
fn lock() -> MutexGuard<'static, Kinds> {
    unpoisoned(KINDS.lock())
}

#[inline]
fn find(kinds: &mut Kinds, signal: c_int) -> Option<&mut Kind> {
    let mut entries = kinds.iter_mut();
    entries.find_map(|(of, kind)| (*of == signal).then_some(kind))
}

/// The entry of a signal; the first call for a signal registers its handler.
#[inline]
fn known(kinds: &mut Kinds, signal: c_int) -> io::Result<&mut Kind> {
    let at = kinds.iter().position(|(of, _)| *of == signal);
    if at.is_none() {
        let mut kind = Kind::default();
        if signal_name(signal).is_some() && has_default_action(signal) {
            let unheard = Arc::new(AtomicBool::new(true));
            flag::register_conditional_default(signal, unheard.clone())?;
            kind.unheard = Some(unheard);
        }
        kinds.push((signal, kind));
    }
    let at = at.unwrap_or(kinds.len() - 1);
    Ok(&mut kinds[at].1)
}

/// Takes the default action from a signal, for the rest of the process.
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "there, no signal asks for a dump")
)]
#[inline]
pub(crate) fn take_default(signal: c_int) -> io::Result<()> {
    let mut kinds = lock();
    let kind = known(&mut kinds, signal)?;
    if !kind.is_taken {
        kind.is_taken = true;
        kind.listeners += 1;
        kind.settle(signal);
    }
    Ok(())
}

/// Whether the signal would perform its default action if it had no listener: the program neither
/// ignored it before, nor had a handler for it.
#[inline]
pub(crate) fn is_default_unheard(signal: c_int) -> io::Result<bool> {
    Ok(known(&mut lock(), signal)?.unheard.is_some())
}

/// How many listeners a signal has.
#[inline]
pub(crate) fn listeners(signal: c_int) -> usize {
    find(&mut lock(), signal).map_or(0, |kind| kind.listeners)
}

impl Kind {
    /// Passes the present number of listeners and runs on to the handler.
    #[inline]
    fn settle(&self, signal: c_int) {
        let interrupts = signal == SIGINT && sigint::arm(self.listeners == 0) && self.runs > 0;
        if let Some(unheard) = &self.unheard {
            unheard.store(self.listeners == 0 && !interrupts, Ordering::SeqCst);
        }
    }
}

impl ListenerGuard {
    /// Registers a handler by `register`; dropping this removes it again.
    pub(crate) fn new(
        signal: c_int,
        register: impl FnOnce() -> io::Result<SigId>,
    ) -> io::Result<Self> {
        let mut kinds = lock();
        let kind = known(&mut kinds, signal)?;
        let handler = register()?;
        kind.listeners += 1;
        kind.settle(signal);
        Ok(ListenerGuard { signal, handler })
    }
}

impl Drop for ListenerGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(kind) = find(&mut lock(), self.signal) {
            kind.listeners -= 1;
            kind.settle(self.signal);
        }
        unregister(self.handler);
    }
}

impl Interruptible {
    /// `None` if the program ignored the signal before, or had a handler for it.
    #[inline]
    pub(crate) fn new() -> io::Result<Option<Self>> {
        let mut kinds = lock();
        let kind = known(&mut kinds, SIGINT)?;
        if kind.unheard.is_none() {
            return Ok(None);
        }
        sigint::prepare()?;
        kind.runs += 1;
        kind.settle(SIGINT);
        Ok(Some(Interruptible(())))
    }
}

impl Drop for Interruptible {
    #[inline]
    fn drop(&mut self) {
        if let Some(kind) = find(&mut lock(), SIGINT) {
            kind.runs -= 1;
            kind.settle(SIGINT);
        }
    }
}
