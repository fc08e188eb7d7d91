//! Locks, events, semaphores, barriers, each beside a plain model of it.

use coro::sync::{Barrier, Event, Lock, RwLock, Semaphore};

use crate::sync_harness::{Held, Model, Served, Waiting, check};

/// The ids of the waits in a line, each with its request.
type Line<T = ()> = Vec<(usize, T)>;

fn leave<T>(line: &mut Line<T>, id: usize) -> bool {
    let before = line.len();
    line.retain(|(other, _)| *other != id);
    line.len() < before
}

#[derive(Default)]
struct LockModel {
    holder: Option<usize>,
    line: Line,
}

impl LockModel {
    fn release(&mut self, id: usize, served: &mut Served) {
        if self.holder == Some(id) {
            self.holder = None;
            if !self.line.is_empty() {
                let (next, ()) = self.line.remove(0);
                self.holder = Some(next);
                served.add(next, "lock");
            }
        }
    }
}

impl Model for LockModel {
    type Real = Lock<()>;
    const WAITS: u8 = 1;
    const ACTS: u8 = 1;

    fn wait(real: &Lock<()>, _: u8, _: usize) -> Waiting<'_> {
        Box::pin(async { Held::new("lock", real.lock().await) })
    }

    fn act(real: &Lock<()>, _: u8, _: usize) -> String {
        let could = real.try_lock().is_some();
        assert_eq!(could, !real.is_locked());
        real.is_locked().to_string()
    }

    fn began(&mut self, _: u8, id: usize, served: &mut Served) {
        match self.holder {
            Some(_) => self.line.push((id, ())),
            None => {
                self.holder = Some(id);
                served.add(id, "lock");
            }
        }
    }

    fn gone(&mut self, id: usize, served: &mut Served) {
        leave(&mut self.line, id);
        self.release(id, served);
    }

    fn released(&mut self, id: usize, served: &mut Served) {
        self.release(id, served);
    }

    fn acted(&mut self, _: u8, _: usize, _: &mut Served) -> String {
        self.holder.is_some().to_string()
    }
}

#[test]
fn a_lock_goes_to_the_first_waiter() {
    check::<LockModel>();
}

#[derive(Default)]
struct EventModel {
    set: bool,
    line: Line,
}

impl Model for EventModel {
    type Real = Event;
    const WAITS: u8 = 1;
    const ACTS: u8 = 3;

    fn wait(real: &Event, _: u8, _: usize) -> Waiting<'_> {
        Box::pin(async {
            real.wait().await;
            Held::text("set")
        })
    }

    fn act(real: &Event, kind: u8, _: usize) -> String {
        match kind {
            0 => real.set(),
            1 => real.clear(),
            _ => {
                real.set();
                real.clear();
            }
        }
        real.is_set().to_string()
    }

    fn began(&mut self, _: u8, id: usize, served: &mut Served) {
        match self.set {
            true => served.add(id, "set"),
            false => self.line.push((id, ())),
        }
    }

    fn gone(&mut self, id: usize, _: &mut Served) {
        leave(&mut self.line, id);
    }

    fn acted(&mut self, kind: u8, _: usize, served: &mut Served) -> String {
        if kind != 1 {
            self.line
                .drain(..)
                .for_each(|(id, ())| served.add(id, "set"));
        }
        self.set = kind == 0;
        self.set.to_string()
    }
}

#[test]
fn an_event_wakes_all_waiters_when_it_is_set() {
    check::<EventModel>();
}

#[derive(Default)]
struct SemaphoreModel {
    available: usize,
    closed: bool,
    line: Line<usize>,
    given: Line<usize>,
}

impl SemaphoreModel {
    fn hand_out(&mut self, served: &mut Served) {
        while let Some(&(id, wanted)) = self.line.first()
            && wanted <= self.available
        {
            self.line.remove(0);
            self.give(id, wanted, served);
        }
    }

    fn give(&mut self, id: usize, wanted: usize, served: &mut Served) {
        self.available -= wanted;
        self.given.push((id, wanted));
        served.add(id, Some(wanted));
    }

    fn give_back(&mut self, id: usize, served: &mut Served) {
        if let Some(at) = self.given.iter().position(|(other, _)| *other == id) {
            self.available += self.given.remove(at).1;
        }
        self.hand_out(served);
    }
}

impl Model for SemaphoreModel {
    type Real = SemaphoreOfNone;
    const WAITS: u8 = 3;
    const ACTS: u8 = 3;

    fn wait(real: &SemaphoreOfNone, kind: u8, _: usize) -> Waiting<'_> {
        Box::pin(async move {
            match real.0.acquire_many(usize::from(kind) + 1).await {
                Ok(permit) => Held::new(Some(permit.permits()), permit),
                Err(coro::sync::Closed) => Held::text(None::<usize>),
            }
        })
    }

    fn act(real: &SemaphoreOfNone, kind: u8, _: usize) -> String {
        let real = &real.0;
        match kind {
            0 => real.add_permits(2),
            1 => real.close(),
            _ => return real.try_acquire().is_some().to_string(),
        }
        real.available_permits().to_string()
    }

    fn began(&mut self, kind: u8, id: usize, served: &mut Served) {
        let wanted = usize::from(kind) + 1;
        if self.closed {
            served.add(id, None::<usize>);
        } else if self.line.is_empty() && wanted <= self.available {
            self.give(id, wanted, served);
        } else {
            self.line.push((id, wanted));
        }
    }

    fn gone(&mut self, id: usize, served: &mut Served) {
        leave(&mut self.line, id);
        self.give_back(id, served);
    }

    fn released(&mut self, id: usize, served: &mut Served) {
        self.give_back(id, served);
    }

    fn acted(&mut self, kind: u8, _: usize, served: &mut Served) -> String {
        match kind {
            0 => {
                self.available += 2;
                self.hand_out(served);
            }
            1 => {
                self.closed = true;
                let line = self.line.drain(..);
                line.for_each(|(id, _)| served.add(id, None::<usize>));
            }
            _ => {
                let may = self.available > 0 && self.line.is_empty() && !self.closed;
                return may.to_string();
            }
        }
        self.available.to_string()
    }
}

struct SemaphoreOfNone(Semaphore);

impl Default for SemaphoreOfNone {
    fn default() -> Self {
        SemaphoreOfNone(Semaphore::new(0))
    }
}

#[test]
fn permits_are_given_in_order_and_come_back() {
    check::<SemaphoreModel>();
}

#[derive(Default)]
struct RwModel {
    readers: Vec<usize>,
    writer: Option<usize>,
    line: Line<u8>,
}

const WRITE: u8 = 1;

impl RwModel {
    fn may(&self, kind: u8) -> bool {
        self.writer.is_none() && (kind != WRITE || self.readers.is_empty())
    }

    fn enter(&mut self, kind: u8, id: usize, served: &mut Served) {
        match kind {
            WRITE => self.writer = Some(id),
            _ => self.readers.push(id),
        }
        served.add(id, kind);
    }

    fn leave(&mut self, id: usize, served: &mut Served) {
        leave(&mut self.line, id);
        self.readers.retain(|other| *other != id);
        self.writer = self.writer.filter(|other| *other != id);
        while let Some(&(next, kind)) = self.line.first()
            && self.may(kind)
        {
            self.line.remove(0);
            self.enter(kind, next, served);
        }
    }
}

impl Model for RwModel {
    type Real = RwLock<()>;
    const WAITS: u8 = 2;
    const ACTS: u8 = 0;

    fn wait(real: &RwLock<()>, kind: u8, _: usize) -> Waiting<'_> {
        Box::pin(async move {
            match kind {
                WRITE => Held::new(kind, real.write().await),
                _ => Held::new(kind, real.read().await),
            }
        })
    }

    fn began(&mut self, kind: u8, id: usize, served: &mut Served) {
        match self.line.is_empty() && self.may(kind) {
            true => self.enter(kind, id, served),
            false => self.line.push((id, kind)),
        }
    }

    fn gone(&mut self, id: usize, served: &mut Served) {
        self.leave(id, served);
    }

    fn released(&mut self, id: usize, served: &mut Served) {
        self.leave(id, served);
    }
}

#[test]
fn readers_and_writers_take_turns_in_the_order_of_their_coming() {
    check::<RwModel>();
}

#[derive(Default)]
struct BarrierModel {
    broken: bool,
    line: Line,
}

struct BarrierOfThree(Barrier);

impl Default for BarrierOfThree {
    fn default() -> Self {
        BarrierOfThree(Barrier::new(3))
    }
}

impl Model for BarrierModel {
    type Real = BarrierOfThree;
    const WAITS: u8 = 1;
    const ACTS: u8 = 2;

    fn wait(real: &BarrierOfThree, _: u8, _: usize) -> Waiting<'_> {
        Box::pin(async { Held::text(real.0.wait().await.ok()) })
    }

    fn act(real: &BarrierOfThree, kind: u8, _: usize) -> String {
        match kind {
            0 => real.0.reset(),
            _ => real.0.abort(),
        }
        format!("{} {}", real.0.n_waiting(), real.0.is_broken())
    }

    fn began(&mut self, _: u8, id: usize, served: &mut Served) {
        if self.broken {
            return served.add(id, None::<usize>);
        }
        self.line.push((id, ()));
        if self.line.len() == 3 {
            let present = self.line.drain(..).enumerate();
            present.for_each(|(place, (id, ()))| served.add(id, Some(place)));
        }
    }

    fn gone(&mut self, id: usize, _: &mut Served) {
        leave(&mut self.line, id);
    }

    fn acted(&mut self, kind: u8, _: usize, served: &mut Served) -> String {
        self.broken = kind == 1;
        let line = self.line.drain(..);
        line.for_each(|(id, ())| served.add(id, None::<usize>));
        format!("0 {}", self.broken)
    }
}

#[test]
fn a_barrier_releases_its_three_waiters_at_once() {
    check::<BarrierModel>();
}
