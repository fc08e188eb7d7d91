//! The `Team` of a run: the loops of its cores, each with a `Seat` that stays on its thread.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::error::Cancelled;
use crate::event_loop::{LoopHandle, RemoteHandle};
use crate::group::CancelToken;

/// The loops of all cores, by their indices.
pub(super) struct Team {
    loops: Box<[RemoteHandle]>,
}

impl Team {
    #[inline]
    pub(super) fn new(loops: Vec<RemoteHandle>) -> Arc<Self> {
        Arc::new(Team {
            loops: loops.into(),
        })
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        self.loops.len()
    }

    #[track_caller]
    #[inline]
    pub(super) fn loop_of(&self, index: usize) -> &RemoteHandle {
        let count = self.count();
        self.loops.get(index).unwrap_or_else(|| {
            panic!("there is no core {index}: the {count} cores have the indices from 0 on")
        })
    }

    #[inline]
    pub(super) fn loops(&self) -> &[RemoteHandle] {
        &self.loops
    }

    /// Cancels the shutdown token of each core.
    #[inline]
    pub(super) fn shut_down(&self, why: &Cancelled) {
        let why = why.clone();
        self.tell(move |seat| seat.token.cancel_with(&why));
    }

    /// Cancels the shutdown token of each core that has asked for it, and the main futures of the
    /// others. The loops go on until they are released.
    #[inline]
    pub(super) fn interrupt(&self, why: &Cancelled) {
        let why = why.clone();
        self.tell(move |seat| seat.interrupt(&why));
    }

    /// Has each core cancel its main future and its tasks, and end.
    #[inline]
    pub(super) fn release(&self) {
        self.tell(|seat| {
            seat.is_released.set(true);
            LoopHandle::current().stop();
        });
    }

    /// A loop that is closed has nothing to be told.
    fn tell(&self, tell: impl Fn(&Seat) + Clone + Send + 'static) {
        for event_loop in &self.loops {
            let tell = tell.clone();
            let _ = event_loop.post(move || tell(&Seat::of(&LoopHandle::current())));
        }
    }
}

/// A value of each core, which its loop owns.
type Shard = (u64, Rc<dyn Any>);

/// The part of a core that stays on its thread: its loop keeps it.
#[derive(Default)]
pub(super) struct Seat {
    /// The team, with the index of this core in it. Unset in a loop that is no core's.
    place: OnceCell<(Arc<Team>, usize)>,
    token: CancelToken,
    /// The program has asked for the token, so it heeds a shutdown.
    heeds_token: Cell<bool>,
    /// The main future is to be dropped.
    is_interrupted: Cell<bool>,
    /// The loop is to end.
    is_released: Cell<bool>,
    shards: RefCell<Vec<Shard>>,
}

impl Seat {
    #[inline]
    pub(super) fn of(event_loop: &LoopHandle) -> Rc<Self> {
        event_loop.kept()
    }

    #[inline]
    pub(super) fn take_place(&self, team: Arc<Team>, index: usize) {
        let _ = self.place.set((team, index)); // a loop takes one place, when it is made
    }

    #[inline]
    pub(super) fn place(&self) -> Option<&(Arc<Team>, usize)> {
        self.place.get()
    }

    /// The token of this core, for a program that heeds it.
    #[inline]
    pub(super) fn token(&self) -> &CancelToken {
        self.heeds_token.set(true);
        &self.token
    }

    #[inline]
    pub(super) fn shut_down(&self, why: &Cancelled) {
        self.token.cancel_with(why);
    }

    #[inline]
    fn interrupt(&self, why: &Cancelled) {
        if !self.heeds_token.get() {
            self.is_interrupted.set(true);
            LoopHandle::current().stop();
        }
        self.token.cancel_with(why);
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        self.is_interrupted.get() || self.is_released.get()
    }

    #[inline]
    pub(super) fn is_released(&self) -> bool {
        self.is_released.get()
    }

    /// The value with this number, which `make` makes if it is not there.
    pub(super) fn shard<T: 'static>(&self, number: u64, make: impl FnOnce() -> T) -> Rc<T> {
        let find = || {
            let shards = self.shards.borrow();
            let found = shards.iter().find(|(other, _)| *other == number);
            found.map(|(_, shard)| shard.clone())
        };
        let shard = find().unwrap_or_else(|| {
            let made: Rc<dyn Any> = Rc::new(make()); // foreign code: it may ask for other shards
            self.shards.borrow_mut().push((number, made.clone()));
            made
        });
        shard.downcast().expect("a number belongs to one type")
    }

    /// Drops the values, in the order in which they were made.
    #[inline]
    pub(super) fn drop_shards(&self) {
        for shard in self.shards.take() {
            drop(shard);
        }
    }
}
