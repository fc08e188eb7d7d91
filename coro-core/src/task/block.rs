//! Blocks of memory for tasks, which are kept for the next task of their size.
#![expect(
    unsafe_code,
    reason = "tasks of all types are laid out in blocks by hand"
)]

use std::alloc::{Layout, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

use crate::primitives;

/// The smallest block. An allocator that puts one word before each block wastes nothing then.
const SIZE_MIN: usize = 8;
/// The difference in size between one class and the next.
const STEP: usize = 16;
const ALIGN: usize = 16;
const CLASSES: usize = 64;

/// How many free blocks of each class an idle loop keeps. A loop that is busy keeps all of them.
const KEPT_IDLE: u32 = 4096;

/// How many blocks are given back at once: about ten microseconds' work, as each of them and its
/// neighbours in the allocator's lists may have to come from memory.
const TRIMMED_MAX: u32 = 64;

/// The free blocks of a loop, for its own thread. A task that is larger, or aligned to more, than the
/// largest class gets its memory from the global allocator, and gives it back there.
pub(super) struct Blocks {
    classes: [Class; CLASSES],
    /// Whether some class has more blocks than an idle loop keeps.
    many: Cell<bool>,
}

struct Class {
    first: Cell<Option<NonNull<Free>>>,
    kept: Cell<u32>,
}

/// The content of a block while it is free.
struct Free {
    next: Option<NonNull<Free>>,
}

/// The kind of block that values of one type need.
#[derive(Clone, Copy)]
pub(super) struct BlockKind {
    layout: Layout,
    /// Not less than [`CLASSES`] if the blocks are not kept.
    class: usize,
}

impl BlockKind {
    /// The kind for a type whose size is not zero.
    pub(super) const fn of<T>() -> Self {
        BlockKind::for_value(Layout::new::<T>())
    }

    pub(super) const fn for_value(value: Layout) -> Self {
        let class = value.size().saturating_sub(SIZE_MIN).div_ceil(STEP);
        if class < CLASSES
            && value.align() <= ALIGN
            && let Some(layout) = block_of(class)
        {
            return BlockKind { layout, class };
        }
        BlockKind {
            layout: value,
            class: CLASSES,
        }
    }
}

const fn block_of(class: usize) -> Option<Layout> {
    match Layout::from_size_align(SIZE_MIN + class * STEP, ALIGN) {
        Ok(layout) => Some(layout),
        Err(_) => None,
    }
}

impl Blocks {
    pub(super) const fn new() -> Self {
        Blocks {
            classes: [const { Class::new() }; CLASSES],
            many: Cell::new(false),
        }
    }

    /// A block of this kind, not initialised.
    #[inline]
    pub(super) fn alloc(&self, kind: BlockKind) -> NonNull<u8> {
        match self.classes.get(kind.class).and_then(Class::pop) {
            Some(block) => block,
            None => alloc_new(kind),
        }
    }

    /// Takes back a block.
    ///
    /// # Safety
    ///
    /// The block came from [`alloc`](Self::alloc) of any `Blocks`, is of this kind, and is not used
    /// again.
    #[inline]
    pub(super) unsafe fn free(&self, block: NonNull<u8>, kind: BlockKind) {
        let Some(class) = self.classes.get(kind.class) else {
            // SAFETY: as the caller promises.
            return unsafe { free_anywhere(block, kind) };
        };
        // SAFETY: all blocks of a class have its size and alignment, which suit a `Free`.
        unsafe { class.push(block) };
        if class.kept.get() > KEPT_IDLE {
            self.many.set(true);
        }
    }

    /// Whether more blocks may be free than an idle loop keeps.
    #[inline]
    pub(super) fn are_many(&self) -> bool {
        self.many.get()
    }

    /// Gives back some of the free blocks that a burst of tasks needed. Gives whether there may be
    /// more to give back.
    #[cold]
    pub(super) fn trim(&self) -> bool {
        let most = (0..CLASSES).max_by_key(|&class| self.classes[class].kept.get());
        let excess = most.map_or(0, |class| {
            let excess = self.classes[class].kept.get().saturating_sub(KEPT_IDLE);
            self.give_back(class, excess.min(TRIMMED_MAX));
            excess
        });
        self.many.set(excess > 0);
        excess > 0
    }

    fn give_back(&self, class: usize, count: u32) {
        let Some(layout) = block_of(class) else {
            return;
        };
        for block in (0..count).map_while(|_| self.classes[class].pop()) {
            // SAFETY: the blocks of a class were allocated with its layout.
            unsafe { primitives::dealloc(block.as_ptr(), layout) };
        }
    }
}

/// # Safety
///
/// As for [`Blocks::free`], but on any thread.
pub(super) unsafe fn free_anywhere(block: NonNull<u8>, kind: BlockKind) {
    // SAFETY: all blocks come from the global allocator, with the layout of their kind.
    unsafe { primitives::dealloc(block.as_ptr(), kind.layout) };
}

/// A block of this kind from the global allocator.
#[cold]
pub(super) fn alloc_new(kind: BlockKind) -> NonNull<u8> {
    // SAFETY: the layout is not of size zero: a block is for a value that has a size.
    let block = unsafe { primitives::alloc(kind.layout) };
    NonNull::new(block).unwrap_or_else(|| handle_alloc_error(kind.layout))
}

impl Class {
    const fn new() -> Self {
        Class {
            first: Cell::new(None),
            kept: Cell::new(0),
        }
    }

    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        let block = self.first.get()?;
        // SAFETY: the list consists of free blocks, written by `push`.
        self.first.set(unsafe { block.as_ref().next });
        self.kept.set(self.kept.get() - 1);
        Some(block.cast())
    }

    /// Keeps a block.
    ///
    /// # Safety
    ///
    /// The block is of this class's size, and is not used again.
    #[inline]
    unsafe fn push(&self, block: NonNull<u8>) {
        let block = block.cast::<Free>();
        // SAFETY: the block is large enough and aligned for a `Free`, and not used otherwise.
        unsafe {
            block.write(Free {
                next: self.first.get(),
            })
        };
        self.first.set(Some(block));
        self.kept.set(self.kept.get() + 1);
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for class in 0..CLASSES {
            self.give_back(class, u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(blocks: &Blocks) -> u32 {
        blocks.classes.iter().map(|class| class.kept.get()).sum()
    }

    #[test]
    fn a_block_serves_the_next_value_of_its_size() {
        let blocks = Blocks::new();
        let (small, same, large) = (
            BlockKind::of::<[u64; 14]>(),
            BlockKind::of::<[u64; 15]>(),
            BlockKind::of::<[u64; 999]>(),
        );
        let first = blocks.alloc(small);
        // SAFETY: it is of this kind, as are those below.
        unsafe { blocks.free(first, small) };
        let second = blocks.alloc(same);
        assert_eq!(first, second);
        let third = blocks.alloc(large);
        // SAFETY: as above.
        unsafe {
            blocks.free(third, large);
            free_anywhere(second, same);
        }
        assert_eq!(kept(&blocks), 0);
    }

    #[test]
    fn the_free_blocks_of_a_burst_are_given_back_in_small_steps() {
        let blocks = Blocks::new();
        let kind = BlockKind::of::<[u64; 2]>();
        let burst = KEPT_IDLE + 2 * TRIMMED_MAX;
        let used: Vec<_> = (0..burst).map(|_| blocks.alloc(kind)).collect();
        assert!(!blocks.trim());
        for block in used {
            // SAFETY: it is of this kind.
            unsafe { blocks.free(block, kind) };
        }
        assert_eq!(kept(&blocks), burst);
        assert!(blocks.trim());
        assert_eq!(kept(&blocks), KEPT_IDLE + TRIMMED_MAX);
        while blocks.trim() {}
        assert_eq!(kept(&blocks), KEPT_IDLE);
    }
}
