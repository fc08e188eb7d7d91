//! A guard that closes a server when it is dropped.

/// Calls the function when it is dropped.
pub(super) struct CloseOnDrop<F: Fn()>(pub(super) F);

impl<F: Fn()> Drop for CloseOnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
