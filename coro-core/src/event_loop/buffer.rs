//! `LentBuffer`: the buffer that a loop lends to the connection that reads at the moment.

use std::ops::{Deref, DerefMut};

use super::{Core, LoopHandle};

/// Enough that a busy connection is read in few calls, and small enough to stay in a cache.
const LEN: usize = 64 * 1024;

/// A buffer, until it is dropped. It holds bytes of earlier reads.
pub(crate) struct LentBuffer<'a> {
    buffer: Box<[u8]>,
    core: &'a Core,
}

impl LoopHandle {
    /// Lends the loop's buffer, or another one while that is lent already.
    #[inline]
    pub(crate) fn lend_buffer(&self) -> LentBuffer<'_> {
        let kept = self.core().read_buffer.take();
        LentBuffer {
            buffer: kept.unwrap_or_else(new_buffer),
            core: self.core(),
        }
    }
}

#[cold]
fn new_buffer() -> Box<[u8]> {
    vec![0; LEN].into_boxed_slice()
}

impl Deref for LentBuffer<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer
    }
}

impl DerefMut for LentBuffer<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

impl Drop for LentBuffer<'_> {
    #[inline]
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.core.read_buffer.set(Some(buffer));
    }
}
