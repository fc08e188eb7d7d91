//! The `Extra` of a task: a name and callbacks, which few tasks have.

use std::cell::Cell;
use std::mem::offset_of;
use std::time::Instant;

use super::join::TaskHandle;

pub(super) type DoneCallback = Box<dyn FnOnce(TaskHandle)>;

#[derive(Default)]
pub(super) struct Extra {
    name: Option<Box<str>>,
    /// Told of the names of the task.
    #[cfg(feature = "tracing")]
    span: super::spans::WeakSpan,
    /// When the last step began, if the loop measures that.
    waits_since: Option<Instant>,
    /// Emptied when the task is done, so that no other thread ever drops one.
    pub(super) callbacks: Vec<DoneCallback>,
}

// Offsets, for readers of the memory of the process.
impl Extra {
    pub(super) const NAME: usize = offset_of!(Extra, name);
}

impl ExtraCell {
    pub(super) const POINTER: usize = offset_of!(ExtraCell, 0);
}

/// Room for an [`Extra`], allocated when it is needed.
#[derive(Default)]
pub(super) struct ExtraCell(Cell<Option<Box<Extra>>>);

impl ExtraCell {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Extra) -> T) -> T {
        let mut extra = self.0.take().unwrap_or_default();
        let value = f(&mut extra);
        self.0.set(Some(extra));
        value
    }

    fn with_present<T>(&self, f: impl FnOnce(&mut Extra) -> Option<T>) -> Option<T> {
        let mut extra = self.0.take()?;
        let value = f(&mut extra);
        self.0.set(Some(extra));
        value
    }

    /// Whether there is an [`Extra`].
    #[inline]
    pub(super) fn is_used(&self) -> bool {
        let extra = self.0.take();
        let is_used = extra.is_some();
        self.0.set(extra);
        is_used
    }

    /// The name, if the task was given one.
    pub(super) fn name(&self) -> Option<Box<str>> {
        self.with_present(|extra| extra.name.clone())
    }

    /// Keeps the span of the task, which is told of its names.
    #[cfg(feature = "tracing")]
    pub(super) fn set_span(&self, span: super::spans::WeakSpan) {
        self.with(|extra| extra.span = span);
    }

    pub(super) fn set_name(&self, name: Box<str>) {
        #[cfg(feature = "tracing")]
        super::spans::record_name(&self.with(|extra| extra.span.clone()), &name);
        self.with(|extra| extra.name = Some(name));
    }

    /// Notes when the last step began.
    pub(super) fn begin_wait(&self, now: Instant) {
        self.with(|extra| extra.waits_since = Some(now));
    }

    /// When the last step began, if that was noted.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.with_present(|extra| extra.waits_since)
    }

    #[inline]
    pub(super) fn take_callbacks(&self) -> Option<Vec<DoneCallback>> {
        self.with_present(|extra| Some(std::mem::take(&mut extra.callbacks)))
    }
}
