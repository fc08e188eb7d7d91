//! Queues beside a plain model of them.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::marker::PhantomData;

use coro::sync::{
    Closed, GetFuture, LifoQueue, PriorityQueue, PutFuture, Queue, SendError, TryRecvError,
    TrySendError,
};

use crate::sync_harness::{Held, Model, Served, Waiting, check};

/// An item that is compared by its rank alone.
#[derive(Clone, Copy, Debug)]
struct Item {
    rank: usize,
    id: usize,
}

fn item(id: usize) -> Item {
    Item { rank: id % 3, id }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

/// One of the queues, and the order in which its model picks.
trait Tested: Debug + Sized + 'static {
    fn bounded(room: usize) -> Self;
    async fn get(&self) -> Result<Item, Closed>;
    async fn put(&self, item: Item) -> Result<(), SendError<Item>>;
    async fn join(&self);
    fn try_get(&self) -> Result<Item, TryRecvError>;
    fn try_put(&self, item: Item) -> Result<(), TrySendError<Item>>;
    fn task_done(&self);
    fn shutdown(&self, immediate: bool);
    fn len(&self) -> usize;

    /// The rank of a numbered item. The model picks the item of the lowest rank next.
    fn rank(number: u64, item: Item) -> (i64, i64);
}

macro_rules! tested {
    ($Queue:ident, $rank:expr) => {
        impl Tested for $Queue<Item> {
            fn bounded(room: usize) -> Self {
                $Queue::bounded(room)
            }

            async fn get(&self) -> Result<Item, Closed> {
                let get: GetFuture<'_, $Queue<Item>> = self.get();
                get.await
            }

            async fn put(&self, item: Item) -> Result<(), SendError<Item>> {
                let put: PutFuture<'_, $Queue<Item>> = self.put(item);
                put.await
            }

            async fn join(&self) {
                self.join().await;
            }

            fn try_get(&self) -> Result<Item, TryRecvError> {
                self.try_get()
            }

            fn try_put(&self, item: Item) -> Result<(), TrySendError<Item>> {
                self.try_put(item)
            }

            fn task_done(&self) {
                self.task_done();
            }

            fn shutdown(&self, immediate: bool) {
                self.shutdown(immediate);
            }

            fn len(&self) -> usize {
                self.len()
            }

            fn rank(number: u64, item: Item) -> (i64, i64) {
                $rank(number as i64, item.rank as i64)
            }
        }
    };
}

tested!(Queue, |number, _| (0, number));
tested!(LifoQueue, |number: i64, _| (0, -number));
tested!(PriorityQueue, |number, rank| (rank, number));

const ROOM: usize = 2;

struct Real<Q>(Q);

impl<Q: Tested> Default for Real<Q> {
    fn default() -> Self {
        Real(Q::bounded(ROOM))
    }
}

struct QueueModel<Q> {
    items: Vec<(u64, Item)>,
    getters: Vec<usize>,
    putters: Vec<usize>,
    joiners: Vec<usize>,
    /// The items that were handed to getters.
    handed: Vec<(usize, (u64, Item))>,
    number: u64,
    unfinished: usize,
    shut: bool,
    discarded: bool,
    of: PhantomData<Q>,
}

impl<Q> Default for QueueModel<Q> {
    fn default() -> Self {
        QueueModel {
            items: Vec::new(),
            getters: Vec::new(),
            putters: Vec::new(),
            joiners: Vec::new(),
            handed: Vec::new(),
            number: 0,
            unfinished: 0,
            shut: false,
            discarded: false,
            of: PhantomData,
        }
    }
}

const REFUSED: &str = "refused";
const PUT: &str = "put";

impl<Q: Tested> QueueModel<Q> {
    /// Puts an item, if the queue is open, and has room or a waiting getter.
    fn put(&mut self, id: usize, served: &mut Served) -> bool {
        let may = !self.shut && (!self.getters.is_empty() || self.items.len() < ROOM);
        if may {
            self.number += 1;
            self.unfinished += 1;
            self.store(self.number, item(id), served);
        }
        may
    }

    fn store(&mut self, number: u64, item: Item, served: &mut Served) {
        match self.getters.is_empty() {
            true => self.items.push((number, item)),
            false => {
                let getter = self.getters.remove(0);
                self.handed.push((getter, (number, item)));
                served.add(getter, Some(item.id));
            }
        }
    }

    fn get(&mut self, served: &mut Served) -> Option<usize> {
        let all = self.items.iter().enumerate();
        let next = all.min_by_key(|(_, (number, item))| Q::rank(*number, *item));
        let (_, item) = self.items.remove(next?.0);
        while self.items.len() < ROOM && !self.putters.is_empty() {
            let putter = self.putters.remove(0);
            assert!(self.put(putter, served));
            served.add(putter, PUT);
        }
        Some(item.id)
    }

    fn finish(&mut self, n: usize, served: &mut Served) {
        self.unfinished = self.unfinished.saturating_sub(n);
        if self.unfinished == 0 {
            let joiners = self.joiners.drain(..);
            joiners.for_each(|id| served.add(id, "joined"));
        }
    }
}

impl<Q: Tested> Model for QueueModel<Q> {
    type Real = Real<Q>;
    const WAITS: u8 = 3;
    const ACTS: u8 = 5;

    fn wait(real: &Real<Q>, kind: u8, id: usize) -> Waiting<'_> {
        let real = &real.0;
        Box::pin(async move {
            match kind {
                0 => Held::text(real.get().await.ok().map(|item| item.id)),
                1 => Held::text(match real.put(item(id)).await {
                    Ok(()) => PUT,
                    Err(refused) => {
                        assert_eq!(refused.into_inner().id, id);
                        REFUSED
                    }
                }),
                _ => {
                    real.join().await;
                    Held::text("joined")
                }
            }
        })
    }

    fn act(real: &Real<Q>, kind: u8, id: usize) -> String {
        let real = &real.0;
        match kind {
            0 => format!("{:?}", real.try_get().ok().map(|item| item.id)),
            1 => real.try_put(item(id)).is_ok().to_string(),
            2 => {
                if !format!("{real:?}").contains("unfinished: 0") {
                    real.task_done();
                }
                real.len().to_string()
            }
            _ => {
                real.shutdown(kind == 4);
                real.len().to_string()
            }
        }
    }

    fn began(&mut self, kind: u8, id: usize, served: &mut Served) {
        match kind {
            0 => match self.get(served) {
                Some(item) => served.add(id, Some(item)),
                None if self.shut => served.add(id, None::<usize>),
                None => self.getters.push(id),
            },
            1 => match self.put(id, served) {
                true => served.add(id, PUT),
                false if self.shut => served.add(id, REFUSED),
                false => self.putters.push(id),
            },
            _ => match self.unfinished {
                0 => served.add(id, "joined"),
                _ => self.joiners.push(id),
            },
        }
    }

    fn gone(&mut self, id: usize, served: &mut Served) {
        for line in [&mut self.getters, &mut self.putters, &mut self.joiners] {
            line.retain(|other| *other != id);
        }
        let handed = self.handed.iter().position(|(other, _)| *other == id);
        if let Some(place) = handed {
            let (_, (number, item)) = self.handed.remove(place);
            match self.discarded {
                true => self.finish(1, served),
                false => self.store(number, item, served),
            }
        }
    }

    fn acted(&mut self, kind: u8, id: usize, served: &mut Served) -> String {
        match kind {
            0 => return format!("{:?}", self.get(served)),
            1 => return self.put(id, served).to_string(),
            2 if self.unfinished > 0 => self.finish(1, served),
            2 => {}
            _ => {
                let immediate = kind == 4;
                (self.shut, self.discarded) = (true, self.discarded || immediate);
                let refused = self.putters.drain(..);
                refused.for_each(|id| served.add(id, REFUSED));
                let getters = self.getters.drain(..);
                getters.for_each(|id| served.add(id, None::<usize>));
                let dropped = match immediate {
                    true => self.items.drain(..).count(),
                    false => 0,
                };
                self.finish(dropped, served);
            }
        }
        self.items.len().to_string()
    }
}

#[test]
fn a_queue_gives_the_oldest_item_first() {
    check::<QueueModel<Queue<Item>>>();
}

#[test]
fn a_priority_queue_gives_the_least_first_and_equals_in_their_order() {
    check::<QueueModel<PriorityQueue<Item>>>();
}

#[test]
fn a_lifo_queue_gives_the_oldest_item_last() {
    check::<QueueModel<LifoQueue<Item>>>();
}
