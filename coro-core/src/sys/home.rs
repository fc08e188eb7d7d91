//! The process that a loop was made in, which a fork leaves.

/// Remembers the process in which it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home {
    #[cfg(unix)]
    process: u32,
}

impl Home {
    #[inline]
    pub(crate) fn new() -> Self {
        Home {
            #[cfg(unix)]
            process: std::process::id(),
        }
    }

    /// Whether this is still the process in which it was made, and not one that was forked from it.
    ///
    /// A system call on Unix: not for hot paths.
    #[inline]
    pub(crate) fn is_here(self) -> bool {
        #[cfg(unix)]
        {
            self.process == std::process::id()
        }
        #[cfg(not(unix))]
        {
            true
        }
    }

    /// # Panics
    ///
    /// In a process that was forked from the loop's own, whose events it would take away.
    #[track_caller]
    #[inline]
    pub(crate) fn assert_here(self) {
        assert!(
            self.is_here(),
            "an event loop was run in a process that was forked from its own: \
             make a new loop after the fork, or execute another program"
        );
    }
}
