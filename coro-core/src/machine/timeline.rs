//! A `Timeline`: events in the order of their times, and of their entry among equal times.

use std::collections::BTreeMap;

pub(super) struct Timeline<E> {
    events: BTreeMap<(u64, u64), E>,
    entered: u64,
}

impl<E> Timeline<E> {
    pub(super) fn new() -> Self {
        Timeline {
            events: BTreeMap::new(),
            entered: 0,
        }
    }

    pub(super) fn enter(&mut self, at: u64, event: E) {
        self.entered += 1;
        self.events.insert((at, self.entered), event);
    }

    pub(super) fn first_time(&self) -> Option<u64> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// The next event that is due.
    pub(super) fn take_due(&mut self, now: u64) -> Option<E> {
        let first = self.events.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_times_keep_their_order_and_later_ones_wait() {
        let mut timeline = Timeline::new();
        for (at, event) in [(5, "later"), (3, "first"), (3, "second")] {
            timeline.enter(at, event);
        }
        assert_eq!(timeline.first_time(), Some(3));
        assert_eq!(timeline.take_due(4), Some("first"));
        assert_eq!(timeline.take_due(4), Some("second"));
        assert_eq!(timeline.take_due(4), None);
        assert_eq!(timeline.take_due(5), Some("later"));
    }
}
