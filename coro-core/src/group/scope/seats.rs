//! The seats of a scope's children: a few in one block, and a vector for those of a larger scope.

use std::panic::Location;

use crate::task::{PooledBox, PooledFuture};

/// How many seats are in the block. Most scopes have no more children than that.
const FEW: usize = 4;

#[derive(Default)]
pub(super) struct ChildSeat<'s> {
    /// The place of its child in the order of spawning.
    pub(super) number: u64,
    /// `None` while the child is being polled.
    pub(super) child: Option<PooledFuture<'s>>,
    /// The place that spawned the child.
    pub(super) origin: Option<&'static Location<'static>>,
}

#[derive(Default)]
pub(super) struct ChildSeats<'s> {
    few: Option<PooledBox<[ChildSeat<'s>; FEW]>>,
    more: Vec<ChildSeat<'s>>,
}

impl<'s> ChildSeats<'s> {
    /// All seats have lower numbers than this.
    #[inline]
    pub(super) fn end(&self) -> usize {
        match self.few {
            None => 0,
            Some(_) => FEW + self.more.len(),
        }
    }

    #[inline]
    pub(super) fn get(&mut self, seat: usize) -> Option<&mut ChildSeat<'s>> {
        match seat.checked_sub(FEW) {
            None => self.few.as_mut().map(|few| &mut few[seat]),
            Some(more) => self.more.get_mut(more),
        }
    }

    /// The seat with this number, which may be a new one.
    #[inline]
    pub(super) fn get_or_new(&mut self, seat: usize) -> &mut ChildSeat<'s> {
        let few = self.few.get_or_insert_with(PooledBox::default);
        match seat.checked_sub(FEW) {
            None => &mut few[seat],
            Some(more) => {
                if self.more.len() <= more {
                    self.more.resize_with(more + 1, ChildSeat::default);
                }
                &mut self.more[more]
            }
        }
    }
}
