//! Memory for tasks: blocks that are kept for the next task of their size.
#![expect(
    unsafe_code,
    reason = "tasks of all types are laid out in blocks by hand"
)]

use std::alloc::{Layout, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

use super::primitives;

/// Blocks come in multiples of this many bytes.
const STEP: usize = 64;
const ALIGN: usize = 16;
const CLASSES: usize = 16;

/// So many blocks of a size are kept at most; a burst gives the rest back.
const KEPT_MAX: u32 = 4096;

/// The free blocks of a loop, for its own thread. Tasks that are larger, or aligned to more, than
/// the largest class go to the global allocator each time.
#[derive(Default)]
pub(super) struct Blocks {
    classes: [Class; CLASSES],
}

#[derive(Default)]
struct Class {
    first: Cell<Option<NonNull<Free>>>,
    kept: Cell<u32>,
}

/// What a block holds while it is free.
struct Free {
    next: Option<NonNull<Free>>,
}

/// The layout of the block for a value, and its class if it has one.
#[inline]
const fn block_for(value: Layout) -> (Layout, Option<usize>) {
    let class = value.size().div_ceil(STEP);
    if class == 0 || class > CLASSES || value.align() > ALIGN {
        return (value, None);
    }
    match Layout::from_size_align(class * STEP, ALIGN) {
        Ok(layout) => (layout, Some(class - 1)),
        Err(_) => (value, None),
    }
}

impl Blocks {
    /// Memory for a value of this layout, which is not of size zero.
    #[inline]
    pub(super) fn alloc(&self, value: Layout) -> NonNull<u8> {
        let (layout, class) = block_for(value);
        match class.and_then(|class| self.classes[class].pop()) {
            Some(block) => block,
            None => alloc_new(layout),
        }
    }

    /// Takes back the memory of a value of this layout.
    ///
    /// # Safety
    ///
    /// It came from [`alloc`](Self::alloc) of any `Blocks`, for this layout, and is not used again.
    #[inline]
    pub(super) unsafe fn free(&self, block: NonNull<u8>, value: Layout) {
        let (_, class) = block_for(value);
        // SAFETY: a class's blocks are all of its size and alignment, which suit a `Free`.
        let kept = class.is_some_and(|class| unsafe { self.classes[class].push(block) });
        if !kept {
            // SAFETY: as the caller promises.
            unsafe { free_anywhere(block, value) };
        }
    }
}

/// # Safety
///
/// As for [`Blocks::free`]; but this may be any thread.
pub(super) unsafe fn free_anywhere(block: NonNull<u8>, value: Layout) {
    // SAFETY: all blocks come from the global allocator, with this very layout.
    unsafe { primitives::dealloc(block.as_ptr(), block_for(value).0) };
}

#[cold]
fn alloc_new(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layout is not of size zero: a task has a header.
    let block = unsafe { primitives::alloc(layout) };
    NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout))
}

impl Class {
    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        let block = self.first.get()?;
        // SAFETY: what is in the list is a free block, written by `push`.
        self.first.set(unsafe { block.as_ref().next });
        self.kept.set(self.kept.get() - 1);
        Some(block.cast())
    }

    /// Keeps a block; `false` if there are enough.
    ///
    /// # Safety
    ///
    /// The block is of this class's size, and is not used again.
    #[inline]
    unsafe fn push(&self, block: NonNull<u8>) -> bool {
        if self.kept.get() == KEPT_MAX {
            return false;
        }
        let block = block.cast::<Free>();
        // SAFETY: the block is large enough and aligned for it, and nobody else uses it.
        unsafe {
            block.write(Free {
                next: self.first.get(),
            })
        };
        self.first.set(Some(block));
        self.kept.set(self.kept.get() + 1);
        true
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for (class, blocks) in self.classes.iter().enumerate() {
            let Ok(layout) = Layout::from_size_align((class + 1) * STEP, ALIGN) else {
                continue;
            };
            while let Some(block) = blocks.pop() {
                // SAFETY: the blocks of a class were allocated with its layout.
                unsafe { primitives::dealloc(block.as_ptr(), layout) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_serves_the_next_value_of_its_size() {
        let blocks = Blocks::default();
        let (small, same, large) = (
            Layout::new::<[u64; 5]>(),
            Layout::new::<[u64; 8]>(),
            Layout::new::<[u64; 999]>(),
        );
        let first = blocks.alloc(small);
        // SAFETY: it was allocated for this layout; so below.
        unsafe { blocks.free(first, small) };
        let second = blocks.alloc(same);
        assert_eq!(first, second);
        let third = blocks.alloc(large);
        // SAFETY: see above.
        unsafe {
            blocks.free(third, large);
            free_anywhere(second, same);
        }
        assert_eq!(
            blocks
                .classes
                .iter()
                .map(|class| class.kept.get())
                .sum::<u32>(),
            0
        );
    }
}
