//! `Id`: tells the machines of coroutines apart, by their types or one by one.

use core::any::TypeId;

/// What a machine has in common only with machines that exchange the same types, down to the
/// lifetimes: it is the machine's own, unless the types can have no lifetimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "alloc"),
    expect(unreachable_pub, reason = "the traits of boxed bodies name it")
)]
pub struct Id(u64);

/// Types without lifetimes: their type ids tell all about them.
const PLAIN: [fn() -> TypeId; 12] = [
    TypeId::of::<()>,
    TypeId::of::<bool>,
    TypeId::of::<char>,
    TypeId::of::<u8>,
    TypeId::of::<u16>,
    TypeId::of::<u32>,
    TypeId::of::<u64>,
    TypeId::of::<usize>,
    TypeId::of::<i32>,
    TypeId::of::<i64>,
    TypeId::of::<f32>,
    TypeId::of::<f64>,
];

impl Id {
    /// The id that all machines with these types share, if both are [`PLAIN`]: of the values that
    /// are yielded and of those that are passed in.
    ///
    /// A constant to the optimiser, which it would not see in an id that is drawn at run time.
    #[inline]
    pub(super) fn of_types((yielded, resumed): (TypeId, TypeId)) -> Option<Self> {
        let index = |id| PLAIN.iter().position(|plain| plain() == id);
        let index = index(yielded)? * PLAIN.len() + index(resumed)?;
        Some(Id(u64::MAX - index as u64))
    }

    /// As [`of_types`](Self::of_types), if the optimiser makes a constant of it. Without optimisation,
    /// computing it at each step would take longer than reading the id that is stored.
    #[inline(always)]
    pub(super) fn as_constant(types: impl FnOnce() -> (TypeId, TypeId)) -> Option<Self> {
        match cfg!(debug_assertions) {
            true => None,
            false => Self::of_types(types()),
        }
    }

    #[cfg(target_has_atomic = "64")]
    #[inline]
    pub(super) fn new() -> Self {
        use core::sync::atomic::{AtomicU64, Ordering};

        // At one in a nanosecond it takes five hundred years to come round.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Id(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Where atomics are narrower, an id is used twice rather than that a coroutine is refused:
    /// there the care of the macros has to do.
    #[cfg(all(not(target_has_atomic = "64"), target_has_atomic = "ptr"))]
    pub(super) fn new() -> Self {
        use core::sync::atomic::{AtomicUsize, Ordering};

        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Id(NEXT.fetch_add(1, Ordering::Relaxed) as u64)
    }

    /// Without atomics too.
    #[cfg(not(target_has_atomic = "ptr"))]
    pub(super) fn new() -> Self {
        Id(0)
    }
}
