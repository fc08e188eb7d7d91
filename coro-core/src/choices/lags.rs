//! The `Lags` of those that are ready: who runs how much later than its turn.

use super::series::Series;

/// The greatest lag that is drawn from a seed.
pub(crate) const LAG_MAX: u32 = 8;

/// The tasks and callouts of a ready queue, in its order, each with the instant that its lag gives.
///
/// Each is given a lag when it becomes ready. A lag of n lets it run after the n that become ready
/// next. A lag belongs to one wake-up of one task; so a script that leaves a lag out moves no other.
#[derive(Debug, Default)]
pub(super) struct Lags {
    waiting: Vec<Waiting>,
    arrivals: u64,
    /// How many of those that wait are dumps.
    dumps: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// Arrivals are even numbers. One that is late comes after the one whose place it takes.
    due: u64,
    pub(super) who: Series,
    pub(super) lag: u32,
    is_dump: bool,
}

impl Lags {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no step of the program waits.
    pub(super) fn has_no_step(&self) -> bool {
        self.waiting.len() == self.dumps
    }

    pub(super) fn arrive(&mut self, who: Series, lag: u32) {
        self.arrivals += 1;
        let late = 2 * u64::from(lag) + u64::from(lag != 0);
        let due = 2 * self.arrivals + late;
        self.waiting.push(Waiting {
            due,
            who,
            lag,
            is_dump: false,
        });
    }

    /// A dump has become ready. It is no arrival: it moves no step of the program.
    pub(super) fn arrive_dump(&mut self) {
        self.dumps += 1;
        self.waiting.push(Waiting {
            due: 2 * self.arrivals,
            who: Series::default(),
            lag: 0,
            is_dump: true,
        });
    }

    /// Takes out that one of the first `of` which is due first, with its index.
    pub(super) fn take_next(&mut self, of: usize) -> Option<(usize, Waiting)> {
        let candidates = self.waiting.iter().take(of).enumerate();
        let (at, _) = candidates.min_by_key(|(_, waiting)| waiting.due)?;
        let next = self.waiting.remove(at);
        self.dumps -= usize::from(next.is_dump);
        Some((at, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lags: &[u32]) -> Vec<u32> {
        let mut queue = Lags::default();
        for (n, lag) in (0..).zip(lags) {
            queue.arrive(Series::from_number(n), *lag);
        }
        let next = || Some(queue.take_next(usize::MAX)?.1.who.number());
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn a_lag_lets_a_number_of_later_ones_pass() {
        assert_eq!(order(&[0, 0, 0, 0]), [0, 1, 2, 3]);
        assert_eq!(order(&[1, 0, 0, 0]), [1, 0, 2, 3]);
        assert_eq!(order(&[2, 0, 1, 0]), [1, 0, 3, 2]);
        assert_eq!(order(&[9, 0, 0, 0]), [1, 2, 3, 0]);
    }

    #[test]
    fn a_dump_moves_no_other() {
        let lags = [3, 0, 1, 0, 2, 0, 0];
        let mut queue = Lags::default();
        for (n, lag) in (1..).zip(lags) {
            queue.arrive_dump();
            queue.arrive(Series::from_number(n), lag);
        }
        let next = || Some(queue.take_next(usize::MAX)?.1.who.number());
        let taken: Vec<u32> = std::iter::from_fn(next).filter(|n| *n != 0).collect();
        let expected: Vec<u32> = order(&lags).iter().map(|n| n + 1).collect();
        assert_eq!(taken, expected);
        assert!(queue.has_no_step());
    }

    #[test]
    fn only_the_first_are_chosen_from() {
        let mut queue = Lags::default();
        queue.arrive(Series::from_number(7), 8);
        queue.arrive(Series::from_number(8), 0);
        let (at, waiting) = queue.take_next(1).unwrap();
        assert_eq!((at, waiting.who.number()), (0, 7));
        assert!(queue.take_next(0).is_none());
    }
}
