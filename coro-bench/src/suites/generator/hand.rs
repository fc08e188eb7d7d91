//! Hand-written iterators, as a program without generators has them.

/// The shortest hand-written iterator that counts.
pub(super) struct Count {
    next: u64,
    end: u64,
}

impl Count {
    pub(super) fn new(end: u64) -> Self {
        Count { next: 0, end }
    }
}

impl Iterator for Count {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let item = self.next;
        (item < self.end).then(|| {
            self.next += 1;
            item
        })
    }
}

pub(super) fn from_fn(end: u64) -> impl Iterator<Item = u64> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let item = next;
        (item < end).then(|| {
            next += 1;
            item
        })
    })
}

/// As a compiler would write it: a state for each place at which the body can be suspended.
pub(super) enum State {
    Begin { end: u64 },
    AtYield { item: u64, end: u64 },
    Over,
}

impl State {
    pub(super) fn new(end: u64) -> Self {
        State::Begin { end }
    }
}

impl Iterator for State {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let (item, end) = match *self {
            State::Begin { end } => (0, end),
            State::AtYield { item, end } => (item + 1, end),
            State::Over => return None,
        };
        if item < end {
            *self = State::AtYield { item, end };
            Some(item)
        } else {
            *self = State::Over;
            None
        }
    }
}

/// Adds up the numbers that it is sent, and returns the sum so far.
pub(super) enum Adder {
    Begin { left: u64 },
    AtYield { left: u64, sum: u64 },
    Over,
}

impl Adder {
    pub(super) fn new(left: u64) -> Self {
        Adder::Begin { left }
    }

    #[inline]
    pub(super) fn start(&mut self) -> Option<u64> {
        match *self {
            Adder::Begin { left } => self.go_on(left, 0),
            _ => panic!("started twice"),
        }
    }

    #[inline]
    pub(super) fn send(&mut self, number: u64) -> Option<u64> {
        match *self {
            Adder::AtYield { left, sum } => self.go_on(left, sum.wrapping_add(number)),
            _ => panic!("sent too early or too late"),
        }
    }

    #[inline]
    fn go_on(&mut self, left: u64, sum: u64) -> Option<u64> {
        if left > 0 {
            *self = Adder::AtYield {
                left: left - 1,
                sum,
            };
            Some(sum)
        } else {
            *self = Adder::Over;
            None
        }
    }
}
