//! Tests that timers agree with a sorted map, at a limited cost.

use super::*;
use std::collections::BTreeMap;

struct Random(fastrand::Rng);

impl Random {
    fn new(seed: u64) -> Self {
        Random(fastrand::Rng::with_seed(seed))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(..bound)
    }

    /// A duration of a random order of magnitude: rarely centuries, mostly shorter.
    fn span(&mut self) -> u64 {
        let least = if self.below(100) == 0 { 0 } else { 20 };
        let bits = least + self.below(64 - least);
        self.0.u64(..) >> bits
    }
}

impl<T> Timers<T> {
    /// How many timers are stored, armed or cancelled.
    fn remembered(&self) -> usize {
        self.near.len() + self.far.len() + self.unstamped.len()
    }

    /// How many times a timer's slot was looked at since the last call.
    fn looks(&mut self) -> usize {
        self.slots.looks.take()
    }
}

fn drain(timers: &mut Timers<u32>, now: u64) -> Vec<u32> {
    std::iter::from_fn(|| timers.pop_due(now)).collect()
}

#[test]
fn equal_deadlines_fire_in_the_order_in_which_they_were_made() {
    let mut timers = Timers::new();
    for n in 0..10_000 {
        timers.insert(7, n);
    }
    assert_eq!(drain(&mut timers, 6), []);
    assert_eq!(drain(&mut timers, 7), (0..10_000).collect::<Vec<_>>());
}

#[test]
fn a_fresh_timer_counts_from_the_stamp() {
    let mut timers = Timers::new();
    let cancelled = timers.insert_fresh(5, 1);
    timers.insert_fresh(5, 2);
    timers.insert_fresh(4, 3);
    assert_eq!(timers.next_deadline(), None);
    assert_eq!(timers.cancel(cancelled), Some(1));
    timers.stamp(100);
    assert_eq!(timers.next_deadline(), Some(104));
    assert_eq!(drain(&mut timers, 200), [3, 2]);
}

#[test]
fn a_fresh_timer_made_first_fires_first_among_equals_that_were_stamped_before_it() {
    let mut timers = Timers::new();
    timers.insert_fresh(0, 0);
    for n in 1..5_000 {
        timers.insert(7, n);
    }
    timers.stamp(7);
    assert_eq!(drain(&mut timers, 7), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn a_deadline_that_never_comes_does_not_fire_at_the_end_of_time() {
    let mut timers = Timers::new();
    timers.insert(NEVER, 1);
    assert_eq!(timers.pop_due(NEVER), None);
}

#[test]
fn all_can_be_taken_in_order_whether_due_stamped_or_neither() {
    let mut timers = Timers::new();
    timers.insert_fresh(5, 3);
    timers.insert(NEVER, 2);
    timers.insert(7, 1);
    assert_eq!(
        [(); 4].map(|()| timers.pop()),
        [Some(1), Some(2), Some(3), None]
    );
}

#[test]
fn a_stale_key_finds_nothing_in_a_reused_place() {
    let mut timers = Timers::new();
    let old = timers.insert(1, 1);
    assert_eq!(timers.pop_due(1), Some(1));
    let new = timers.insert(1, 2);
    assert_eq!(timers.cancel(old), None);
    assert_eq!(timers.get_mut(new), Some(&mut 2));
}

/// Timers and the model that they are compared with.
struct Trial {
    random: Random,
    timers: Timers<u32>,
    model: BTreeMap<(u64, u64), u32>,
    unstamped: Vec<(u64, TimerKey)>,
    keys: Vec<(Option<u64>, TimerKey)>,
    now: u64,
    made: u32,
}

impl Trial {
    fn new(seed: u64) -> Self {
        Trial {
            random: Random::new(seed),
            timers: Timers::new(),
            model: BTreeMap::new(),
            unstamped: Vec::new(),
            keys: Vec::new(),
            now: 0,
            made: 0,
        }
    }

    fn arm(&mut self, deadline: u64) {
        self.made += 1;
        let key = self.timers.insert(deadline, self.made);
        self.model.insert((deadline, key.sequence), self.made);
        self.keys.push((Some(deadline), key));
    }

    fn arm_fresh(&mut self) {
        self.made += 1;
        let delay = self.random.span();
        let key = self.timers.insert_fresh(delay, self.made);
        self.unstamped.push((delay, key));
    }

    fn stamp(&mut self) {
        self.timers.stamp(self.now);
        for (delay, key) in self.unstamped.drain(..) {
            let deadline = self.now.saturating_add(delay);
            let n = *self.timers.get_mut(key).unwrap();
            self.model.insert((deadline, key.sequence), n);
            self.keys.push((Some(deadline), key));
        }
    }

    fn arm_some(&mut self) {
        let count = 1 + self.random.span() % 3000;
        let (from, spread) = (self.random.span(), self.random.span() | 1);
        let from = self.now.saturating_add(from);
        let kind = self.random.below(5);
        for n in 0..count {
            let step = spread / count * n;
            match kind {
                0 => self.arm(from),
                1 => self.arm(from.saturating_add(step)),
                2 => self.arm(from.saturating_add(spread - step)),
                _ => {
                    let deadline = from.saturating_add(self.random.below(spread));
                    self.arm(deadline);
                }
            }
        }
    }

    fn cancel_some(&mut self) {
        let count = self.random.span() % 3000;
        let kind = self.random.below(3);
        for _ in 0..count.min(self.keys.len() as u64) {
            let at = match kind {
                0 => self.keys.len() - 1,
                _ => self.random.below(self.keys.len() as u64) as usize,
            };
            let (deadline, key) = self.keys.swap_remove(at);
            let expected =
                deadline.and_then(|deadline| self.model.remove(&(deadline, key.sequence)));
            assert_eq!(self.timers.cancel(key), expected);
        }
    }

    fn cancel_fresh(&mut self) {
        if !self.unstamped.is_empty() {
            let at = self.random.below(self.unstamped.len() as u64) as usize;
            let (_, key) = self.unstamped.swap_remove(at);
            assert!(self.timers.cancel(key).is_some());
        }
    }

    /// Moves the present on, as real time flows or as a virtual clock jumps, and fires the due
    /// timers.
    fn pass(&mut self) {
        let flown = self.now.saturating_add(self.random.span()).min(NEVER - 1);
        let first = self.model.keys().next().map(|first| first.0);
        self.now = match self.random.below(20) {
            0 => flown,
            n if n % 2 == 0 => self.now.max(first.unwrap_or(0).min(NEVER - 1)),
            _ => self.now + (flown - self.now) % 500,
        };
        while let Some(entry) = self.model.first_entry()
            && entry.key().0 <= self.now
            && entry.key().0 != NEVER
        {
            assert_eq!(self.timers.pop_due(self.now), Some(entry.remove()));
        }
        assert_eq!(self.timers.pop_due(self.now), None);
    }

    fn step(&mut self) {
        match self.random.below(12) {
            0 => self.arm_some(),
            1 => self.arm(NEVER),
            2 => self.arm_fresh(),
            3 => self.cancel_fresh(),
            4 => self.stamp(),
            5 | 6 => self.cancel_some(),
            7 | 8 => {
                let deadline = self.now.saturating_add(self.random.below(1000));
                self.arm(deadline);
            }
            _ => self.pass(),
        }
        let first = self.model.keys().next().map(|first| first.0);
        assert_eq!(self.timers.next_deadline(), first);
        let armed = self.model.len() + self.unstamped.len();
        assert!(self.timers.remembered() <= 2 * armed + 2);
    }
}

#[test]
fn any_sequence_of_operations_agrees_with_a_sorted_map() {
    for seed in 1..=5_u64 {
        let mut trial = Trial::new(seed);
        for _ in 0..500 {
            trial.step();
        }
        trial.stamp();
        for (_, n) in std::mem::take(&mut trial.model) {
            assert_eq!(trial.timers.pop(), Some(n));
        }
        assert_eq!(trial.timers.pop(), None);
    }
}

const MANY: u64 = 30_000;

/// Deadlines, in nanoseconds, each set hard on some structure.
fn hard_deadlines() -> Vec<Vec<u64>> {
    const SECOND: u64 = 1_000_000_000;
    let mut random = Random::new(7);
    let mut spread = |over: u64| (0..MANY).map(|_| SECOND + random.below(over)).collect();
    vec![
        spread(2 * SECOND),
        spread(1_000_000),
        spread(3600 * SECOND),
        spread(1),
        (0..MANY).collect(),
        (0..MANY).rev().collect(),
        (0..MANY)
            .map(|n| if n % 2 == 0 { n } else { NEVER - n })
            .collect(),
        (0..MANY).map(|n| n % 600 * SECOND + n / 600).collect(),
        vec![NEVER; MANY as usize],
    ]
}

/// The limit for each single call, not an average: two passes over a chunk.
const LOOKS_MAX: usize = 3 * CHUNK;

#[test]
fn no_call_looks_at_more_than_a_few_chunks_whatever_the_deadlines() {
    for deadlines in hard_deadlines() {
        let mut random = Random::new(5);
        let mut timers = Timers::new();
        let mut keys = Vec::new();
        for deadline in deadlines {
            keys.push(timers.insert(deadline, ()));
            assert!(timers.looks() <= LOOKS_MAX);
        }
        assert!(timers.far.chunks() <= 4 * MANY as usize / CHUNK);
        for _ in 0..MANY / 2 {
            let key = keys.swap_remove(random.below(keys.len() as u64) as usize);
            assert!(timers.cancel(key).is_some());
            assert!(timers.looks() <= LOOKS_MAX);
        }
        while timers.pop().is_some() {
            assert!(timers.looks() <= LOOKS_MAX);
        }
    }
}

#[test]
fn work_is_a_few_looks_a_timer_whatever_the_deadlines() {
    for deadlines in hard_deadlines() {
        let mut timers = Timers::new();
        for &deadline in &deadlines {
            timers.insert(deadline, ());
        }
        while timers.pop().is_some() {}
        assert!(timers.looks() <= 6 * MANY as usize);
    }
}

#[test]
fn arming_while_others_are_cancelled_costs_a_few_looks_however_full_the_chunks_are() {
    for live in [1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 10_000] {
        let mut random = Random::new(3);
        let mut timers = Timers::new();
        let mut keys: Vec<_> = (0..live).map(|n| timers.insert(n as u64, ())).collect();
        timers.looks();
        for _ in 0..MANY {
            let at = random.below(live as u64) as usize;
            let new = timers.insert(random.below(live as u64), ());
            let old = std::mem::replace(&mut keys[at], new);
            assert!(timers.cancel(old).is_some());
        }
        let looks = timers.looks();
        assert!(looks <= 10 * MANY as usize, "{looks} with {live} live");
    }
}

#[test]
fn a_timer_that_is_cancelled_at_once_leaves_nothing() {
    let mut timers = Timers::new();
    for n in 0..10_000 {
        timers.insert(n * 10, ());
    }
    for n in 0..100_000 {
        let key = timers.insert(n, ());
        timers.cancel(key);
        assert!(timers.remembered() <= 10_000 + CHUNK);
    }
}

#[test]
fn the_memory_of_a_burst_comes_back_though_some_timers_stay() {
    for stays in [0, 100] {
        let mut timers = Timers::new();
        let begin: Vec<_> = (0..stays).map(|n| timers.insert(NEVER - n, ())).collect();
        let keys: Vec<_> = (0..MANY).map(|n| timers.insert(n, ())).collect();
        let (fired, cancelled) = keys.split_at(keys.len() / 2);
        while timers.pop_due(fired.len() as u64 - 1).is_some() {}
        for &key in cancelled {
            timers.cancel(key);
        }
        assert!(timers.slots.capacity() <= 3 * 512);
        assert!(timers.far.capacity() <= 3 * CHUNK);
        assert_eq!(timers.remembered(), begin.len());
    }
}

#[test]
fn timers_that_outlive_the_others_of_their_chunk_keep_little_memory() {
    let mut timers = Timers::new();
    let keys: Vec<_> = (0..MANY).map(|n| timers.insert(n, ())).collect();
    for (n, key) in keys.into_iter().enumerate() {
        if n % 256 != 0 {
            timers.cancel(key);
        }
    }
    let live = MANY as usize / 256 + 1;
    assert!(timers.far.capacity() <= 16 * live + CHUNK);
}

#[test]
fn a_timer_can_be_looked_at_some_time_before_it_fires() {
    let mut timers = Timers::new();
    for n in 0..60 {
        timers.insert(100 - n, n);
    }
    let soon = *timers.soon().expect("sixty timers are near");
    let before = std::iter::from_fn(|| timers.pop()).take_while(|&n| n != soon);
    assert_eq!(before.count(), 40);
    assert_eq!(timers.soon(), None);
}
