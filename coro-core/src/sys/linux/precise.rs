//! `PreciseWaits`: a thread whose timers the kernel does not delay.

use std::fs;

/// While it lives, the kernel wakes this thread on time, not up to 50 µs late.
///
/// It begins with the first wait for a time, so that a run which does not wait pays nothing. The slack of
/// the thread's timers is set by its file, since the crate that has the system call for it takes long to
/// compile. Without that file, or the right to write to it, waits are merely less exact.
pub(crate) struct PreciseWaits {
    file: String,
    before: Option<String>,
}

impl PreciseWaits {
    #[inline]
    pub(crate) fn begin() -> Self {
        let file = format!("/proc/{}/timerslack_ns", thread_number());
        let before = fs::read_to_string(&file).ok();
        if before.is_some() {
            let _ = fs::write(&file, "1");
        }
        PreciseWaits { file, before }
    }
}

impl Drop for PreciseWaits {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = fs::write(&self.file, before.trim()); // as it was, where allowed
        }
    }
}

/// The number of this thread, as tools of the system print it; 0 if there is no `/proc`.
#[inline]
pub(crate) fn thread_number() -> u32 {
    let link = fs::read_link("/proc/thread-self").ok(); // PROCESS/task/THREAD
    let name = link.as_deref().and_then(|path| path.file_name()?.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}
