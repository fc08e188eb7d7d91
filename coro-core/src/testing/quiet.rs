//! Panics that are kept quiet: those of the many runs of a simulation, of which one is told in the end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use crate::panics::unpoisoned;

/// A panic, as the hook saw it.
#[derive(Clone, Debug)]
pub(super) struct QuietPanic {
    pub(super) message: String,
    /// File, line and column.
    pub(super) place: String,
}

/// The threads whose panics are kept quiet, each with its panics. (A thread-local could do this, and
/// the crate has one for the current loop only.)
static QUIET: Mutex<Vec<(ThreadId, Vec<QuietPanic>)>> = Mutex::new(Vec::new());

/// Calls `f`; gives its value or the payload of its panic, and all panics that occurred meanwhile on
/// this thread. Nothing is printed of them.
pub(super) fn quietly<T>(f: impl FnOnce() -> T) -> (thread::Result<T>, Vec<QuietPanic>) {
    install_hook();
    let this = thread::current().id();
    unpoisoned(QUIET.lock()).push((this, Vec::new()));
    let outcome = catch_unwind(AssertUnwindSafe(f));
    let mut quiet = unpoisoned(QUIET.lock());
    let at = quiet.iter().rposition(|(thread, _)| *thread == this);
    let panics = at.map(|at| quiet.remove(at).1).unwrap_or_default();
    if outcome.is_err() && panics.is_empty() {
        HOOKED.store(false, Ordering::Relaxed); // a panic that the hook has not seen
    }
    (outcome, panics)
}

/// Whether the hook stands, as far as it is known: a test may take it away by a hook of its own.
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Puts a hook before the program's own, which is called for all panics but the quiet ones.
fn install_hook() {
    if !HOOKED.swap(true, Ordering::Relaxed) {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !keep(info) {
                before(info);
            }
        }));
    }
}

/// Keeps a panic of a quiet thread; gives whether this is one.
fn keep(info: &PanicHookInfo<'_>) -> bool {
    let this = thread::current().id();
    let mut quiet = unpoisoned(QUIET.lock());
    let Some((_, panics)) = quiet.iter_mut().rfind(|(thread, _)| *thread == this) else {
        return false;
    };
    panics.push(QuietPanic {
        message: text_of(info.payload()),
        place: info.location().map(ToString::to_string).unwrap_or_default(),
    });
    true
}

/// The text of a panic.
pub(super) fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| Some((*payload.downcast_ref::<&str>()?).to_owned()));
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}
