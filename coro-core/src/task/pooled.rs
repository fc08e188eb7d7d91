//! Boxes whose memory comes from the blocks of the present loop.
//!
//! A scope makes and ends its children as fast as a loop its tasks, so it would spend most of the time
//! in the allocator, too. The values stay on one thread. They may be made outside of all loops, and
//! dropped inside of one, or the other way round: all blocks come from the global allocator.
#![expect(
    unsafe_code,
    reason = "the standard library's boxes cannot be given memory in stable Rust"
)]

use std::alloc::Layout;
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::ptr::NonNull;

use super::block::{self, BlockKind, Blocks};
use super::current;

/// As a `Box`, but for values of a size that is not zero.
pub(crate) struct PooledBox<T: ?Sized>(NonNull<T>, PhantomData<T>);

/// A future of any type that ends without a value.
pub(crate) type PooledFuture<'a> = Pin<PooledBox<dyn Future<Output = ()> + 'a>>;

impl<T> PooledBox<T> {
    #[inline]
    pub(crate) fn new(value: T) -> Self {
        const { assert!(size_of::<T>() > 0) };
        let block = alloc(const { BlockKind::of::<T>() }).cast::<T>();
        // SAFETY: the block was made for a `T`.
        unsafe { block.write(value) };
        PooledBox(block, PhantomData)
    }
}

impl<T: Default> Default for PooledBox<T> {
    fn default() -> Self {
        PooledBox::new(T::default())
    }
}

/// Puts a future into a box, and forgets its type.
#[inline]
pub(crate) fn pooled<'a>(future: impl Future<Output = ()> + 'a) -> PooledFuture<'a> {
    let future = ManuallyDrop::new(PooledBox::new(future)).0.as_ptr();
    let future: *mut (dyn Future<Output = ()> + 'a) = future;
    // SAFETY: the pointer is that of a box, which the new box takes over. The value does not move until
    // it is dropped, as it cannot be taken out of a pinned box.
    unsafe { Pin::new_unchecked(PooledBox(NonNull::new_unchecked(future), PhantomData)) }
}

impl<T: ?Sized> Deref for PooledBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value is this box's own until it is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for PooledBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the box is borrowed exclusively.
        unsafe { self.0.as_mut() }
    }
}

/// Moving the box does not move the value.
impl<T: ?Sized> Unpin for PooledBox<T> {}

impl<T: ?Sized> Drop for PooledBox<T> {
    #[inline]
    fn drop(&mut self) {
        /// Frees the block, also if the value's destructor panics.
        struct Freed(NonNull<u8>, BlockKind);

        impl Drop for Freed {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: the value is gone, and the box with it.
                unsafe { free(self.0, self.1) };
            }
        }

        let kind = BlockKind::for_value(Layout::for_value(&**self));
        let _freed = Freed(self.0.cast(), kind);
        // SAFETY: the value is this box's own, and is not used again.
        unsafe { self.0.drop_in_place() };
    }
}

/// One of the two owners of a value, which the last of them drops.
pub(crate) struct Half<T>(NonNull<Halves<T>>, PhantomData<T>);

struct Halves<T> {
    /// Whether one owner is gone.
    alone: Cell<bool>,
    value: T,
}

/// Gives a value two owners.
#[inline]
pub(crate) fn halves<T>(value: T) -> (Half<T>, Half<T>) {
    let alone = Cell::new(false);
    let both = ManuallyDrop::new(PooledBox::new(Halves { alone, value })).0;
    (Half(both, PhantomData), Half(both, PhantomData))
}

impl<T> Deref for Half<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value is there until both owners are gone.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Half<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as above. The second of the two owners takes the box back that was forgotten in
        // `halves`.
        unsafe {
            if self.0.as_ref().alone.replace(true) {
                drop(PooledBox(self.0, PhantomData));
            }
        }
    }
}

/// Calls `f` with the blocks of the loop that this thread is inside of.
#[inline]
fn with_blocks<T>(f: impl FnOnce(Option<&Blocks>) -> T) -> T {
    // SAFETY: the current scheduler stays current, and alive, until its `Entered` guard is dropped,
    // which cannot happen while `f`, which runs no foreign code, does.
    let scheduler = unsafe { current::scheduler().as_ref() };
    f(scheduler.map(|scheduler| scheduler.blocks()))
}

#[inline]
fn alloc(kind: BlockKind) -> NonNull<u8> {
    with_blocks(|blocks| match blocks {
        Some(blocks) => blocks.alloc(kind),
        None => block::alloc_new(kind),
    })
}

/// # Safety
///
/// The block came from [`alloc`], is of this kind, and is not used again.
#[inline]
unsafe fn free(block: NonNull<u8>, kind: BlockKind) {
    // SAFETY: as the caller promises.
    with_blocks(|blocks| unsafe {
        match blocks {
            Some(blocks) => blocks.free(block, kind),
            None => block::free_anywhere(block, kind),
        }
    });
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    use super::*;

    #[test]
    fn two_owners_drop_a_value_once() {
        let counted = Rc::new(());
        let (one, other) = halves(counted.clone());
        assert_eq!(Rc::strong_count(&other), 2);
        drop(one);
        assert_eq!(Rc::strong_count(&other), 2);
        drop(other);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn a_future_of_any_size_is_dropped_with_its_box() {
        fn held<const BYTES: usize>(counted: &Rc<()>) -> PooledFuture<'static> {
            let held = (counted.clone(), [0_u8; BYTES]);
            pooled(async move { drop(held) })
        }
        let counted = Rc::new(());
        let futures = [
            held::<1>(&counted),
            held::<99>(&counted),
            held::<5000>(&counted),
        ];
        assert_eq!(Rc::strong_count(&counted), 4);
        drop(futures);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn a_destructor_that_panics_does_not_leak_the_block() {
        struct Bad(u8);

        impl Drop for Bad {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new(self.0));
            }
        }

        // The sanitizers see the leak.
        let bad = PooledBox::new(Bad(7));
        let panic = catch_unwind(AssertUnwindSafe(|| drop(bad))).unwrap_err();
        assert_eq!(*panic.downcast::<u8>().unwrap(), 7);
    }
}
