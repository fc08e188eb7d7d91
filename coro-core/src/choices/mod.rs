//! `Choices`: every decision of a simulation, from a seed, from a script, or the plainest.
//!
//! Nothing else in a simulation is random. A decision is a number below a limit, and 0 is always the
//! plainest: first come, first served, no delay, no fault. Each has a place, which is its kind, its
//! series and its number within the series. The value depends on the seed and the place only. So a
//! run that takes one decision less takes the others as before, which lets a failure be shrunk.

mod lags;
mod script;
mod series;
mod trace;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::mem;

use crate::mix::mix;
use lags::Lags;

pub(crate) use lags::LAG_MAX;
pub(crate) use script::{ChoiceKind, ChoicePlace, NotAScript, Script};
pub(crate) use series::Series;
pub(crate) use trace::{TraceEvent, TraceLine};

/// Into this number of steps a delay is divided.
const DELAYS: u32 = 1024;

/// How the decisions of a simulation are taken.
#[derive(Debug)]
enum Rule {
    Seed(u64),
    Script(Script),
}

/// A decision that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) place: ChoicePlace,
    /// The number of possible values.
    pub(crate) of: u32,
    pub(crate) chosen: u32,
}

/// The decisions of one simulation, its digest and, if wanted, its trace.
#[derive(Debug)]
pub(crate) struct Choices {
    rule: Rule,
    times: RefCell<BTreeMap<(ChoiceKind, Series), u32>>,
    taken: RefCell<Vec<Decision>>,
    lags: RefCell<Lags>,
    /// Whose step it is, or whose packet a rule is asked about: decisions of the test belong to it.
    present: Cell<Series>,
    /// The instant of the present step.
    now: Cell<u64>,
    steps: Cell<u64>,
    digest: Cell<u64>,
    trace: RefCell<Option<Vec<TraceLine>>>,
}

/// That one of those which are ready which runs next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen {
    /// Its index in the ready queue.
    pub(crate) at: usize,
    pub(crate) who: Series,
    pub(crate) lag: u32,
}

impl Choices {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self::new(Rule::Seed(seed))
    }

    /// Decisions that the script does not name are the plainest.
    pub(crate) fn from_script(script: Script) -> Self {
        Self::new(Rule::Script(script))
    }

    fn new(rule: Rule) -> Self {
        Choices {
            rule,
            times: RefCell::default(),
            taken: RefCell::default(),
            lags: RefCell::default(),
            present: Cell::default(),
            now: Cell::new(0),
            steps: Cell::new(0),
            digest: Cell::new(0),
            trace: RefCell::new(None),
        }
    }

    /// A number below `of`; 0 is the plainest.
    pub(crate) fn choose(&self, kind: ChoiceKind, series: Series, of: u32) -> u32 {
        if of <= 1 {
            return 0;
        }
        self.decide(kind, series, of, |random| scale(random, of))
    }

    /// Whether that happens now which happens `millionths` times in a million.
    pub(crate) fn chance(&self, kind: ChoiceKind, series: Series, millionths: u32) -> bool {
        match millionths {
            0 => false,
            1_000_000.. => true,
            _ => {
                let draw = |random| u32::from(scale(random, 1_000_000) < millionths);
                self.decide(kind, series, 2, draw) != 0
            }
        }
    }

    /// A time of at most `most` nanoseconds; 0 is the plainest.
    pub(crate) fn delay(&self, series: Series, most: u64) -> u64 {
        let of = u32::try_from(most.saturating_add(1)).map_or(DELAYS, |of| of.min(DELAYS));
        let part = u64::from(self.choose(ChoiceKind::Delay, series, of));
        let whole = u64::from(of.max(2) - 1);
        (u128::from(most) * u128::from(part) / u128::from(whole)) as u64
    }

    /// A number below `of` for the test itself; it belongs to the present task or packet.
    pub(crate) fn choose_for_test(&self, of: u32) -> u32 {
        let chosen = self.choose(ChoiceKind::User, self.present.get(), of);
        self.trace_choice(chosen, || format!("the test chooses {chosen} of {of}"));
        chosen
    }

    /// As [`chance`](Self::chance), for the test itself.
    pub(crate) fn chance_for_test(&self, millionths: u32) -> bool {
        let happens = self.chance(ChoiceKind::User, self.present.get(), millionths);
        self.trace_choice(happens.into(), || {
            format!("the chance of {millionths} in a million comes true")
        });
        happens
    }

    fn trace_choice(&self, chosen: u32, text: impl FnOnce() -> String) {
        if chosen != 0 {
            self.trace(self.now.get(), || TraceEvent::Note(text()));
        }
    }

    /// A number of 64 random bits for the test itself. It is no decision: there is no plainest.
    pub(crate) fn random(&self) -> u64 {
        let seed = match self.rule {
            Rule::Seed(seed) => seed,
            Rule::Script(_) => 0,
        };
        let series = Series::named("random").and(self.present.get().number().into());
        let time = self.next_time(ChoiceKind::User, series);
        draw(
            seed,
            ChoicePlace {
                kind: ChoiceKind::User,
                series,
                time,
            },
        )
    }

    /// Calls `f`, whose decisions for the test belong to this series.
    pub(crate) fn within<T>(&self, series: Series, f: impl FnOnce() -> T) -> T {
        let before = self.present.replace(series);
        let value = f();
        self.present.set(before);
        value
    }

    /// Whose step it is.
    pub(crate) fn present(&self) -> Series {
        self.present.get()
    }

    /// Something has become ready, and stands at the end of the ready queue. One that is `alone` runs
    /// next, so its lag would change nothing.
    pub(crate) fn arrive(&self, who: Series, alone: bool) {
        let lag = match alone && self.lags.borrow().has_no_step() {
            true => {
                self.next_time(ChoiceKind::Order, who);
                0
            }
            false => self.decide(ChoiceKind::Order, who, LAG_MAX + 1, |random| {
                match random & 1 {
                    0 => 0,
                    _ => 1 + scale(random, LAG_MAX),
                }
            }),
        };
        self.lags.borrow_mut().arrive(who, lag);
    }

    /// A dump has become ready. It takes no decision.
    pub(crate) fn arrive_dump(&self) {
        self.lags.borrow_mut().arrive_dump();
    }

    /// How many have arrived and not begun, dumps among them.
    pub(crate) fn waiting(&self) -> usize {
        self.lags.borrow().len()
    }

    /// Takes out that one of the first `of` in the ready queue which runs next.
    pub(crate) fn take_next(&self, of: usize) -> Option<Chosen> {
        let (at, waiting) = self.lags.borrow_mut().take_next(of)?;
        let (who, lag) = (waiting.who, waiting.lag);
        Some(Chosen { at, who, lag })
    }

    /// A step begins: `detail` is a number that two runs with the same decisions have in common.
    pub(crate) fn begin_step(&self, now: u64, who: Series, detail: u64) {
        self.present.set(who);
        self.now.set(now);
        self.steps.set(self.steps.get() + 1);
        let step = mix(now) ^ mix(u64::from(who.number()) << 32 ^ detail);
        let digest = mix(self.digest.get() ^ step);
        self.digest.set(digest);
    }

    fn decide(
        &self,
        kind: ChoiceKind,
        series: Series,
        of: u32,
        from: impl FnOnce(u64) -> u32,
    ) -> u32 {
        let time = self.next_time(kind, series);
        let place = ChoicePlace { kind, series, time };
        let chosen = match &self.rule {
            Rule::Seed(seed) => from(draw(*seed, place)),
            Rule::Script(script) => script.at(place).min(of - 1),
        };
        self.taken.borrow_mut().push(Decision { place, of, chosen });
        chosen
    }

    fn next_time(&self, kind: ChoiceKind, series: Series) -> u32 {
        let mut times = self.times.borrow_mut();
        let time = times.entry((kind, series)).or_default();
        *time += 1;
        *time
    }

    /// The number of steps that have begun.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// A number that two runs have in common if they took the same steps at the same times.
    pub(crate) fn digest(&self) -> u64 {
        self.digest.get()
    }

    /// The decisions that were taken, in order.
    pub(crate) fn take_taken(&self) -> Vec<Decision> {
        self.taken.take()
    }

    /// Keeps a trace from now on.
    pub(crate) fn keep_trace(&self) {
        self.trace.borrow_mut().get_or_insert_default();
    }

    /// Appends a line to the trace, if one is kept.
    pub(crate) fn trace(&self, now: u64, event: impl FnOnce() -> TraceEvent) {
        if self.trace.borrow().is_none() {
            return;
        }
        let (step, event) = (self.steps.get(), event());
        if let Some(trace) = &mut *self.trace.borrow_mut() {
            trace.push(TraceLine { step, now, event });
        }
    }

    pub(crate) fn trace_so_far(&self) -> Vec<TraceLine> {
        self.trace.borrow().clone().unwrap_or_default()
    }

    pub(crate) fn take_trace(&self) -> Vec<TraceLine> {
        mem::take(&mut *self.trace.borrow_mut()).unwrap_or_default()
    }
}

/// The random bits of a place.
fn draw(seed: u64, place: ChoicePlace) -> u64 {
    let ChoicePlace { kind, series, time } = place;
    let which = u64::from(series.number()) << 32 | u64::from(time);
    mix(mix(mix(seed).wrapping_add(kind as u64)) ^ which)
}

/// A number below `of` from random bits.
fn scale(random: u64, of: u32) -> u32 {
    (((random >> 32) * u64::from(of)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: Series = Series::named("wire");

    fn script_of(choices: &Choices) -> Script {
        let taken = choices.take_taken();
        taken
            .iter()
            .map(|taken| (taken.place, taken.chosen))
            .collect()
    }

    #[test]
    fn one_decision_less_moves_no_other() {
        let all = Choices::from_seed(7);
        let values: Vec<u32> = (0..20)
            .map(|n| all.choose(ChoiceKind::Fault, WIRE.and(n), 100))
            .collect();
        let few = Choices::from_seed(7);
        for (n, value) in (0..).zip(values).filter(|(n, _)| n % 3 != 0) {
            assert_eq!(few.choose(ChoiceKind::Fault, WIRE.and(n), 100), value);
        }
    }

    #[test]
    fn the_script_of_a_seed_takes_the_same_decisions() {
        let take = |choices: &Choices| {
            let mut values = Vec::new();
            for n in 0..50 {
                values.push(choices.delay(WIRE, 30_000_000));
                values.push(choices.choose_for_test(30).into());
                values.push(
                    choices
                        .chance(ChoiceKind::Fault, WIRE.and(n % 2), 100_000)
                        .into(),
                );
                choices.arrive(WIRE.and(n), false);
            }
            while let Some(next) = choices.take_next(usize::MAX) {
                values.push(next.at as u64);
            }
            values
        };
        let seeded = Choices::from_seed(3);
        let values = take(&seeded);
        let text = script_of(&seeded).to_string();
        let scripted = Choices::from_script(text.parse().unwrap());
        assert_eq!(take(&scripted), values);
        assert_ne!(take(&Choices::from_seed(4)), values);
        let plain = take(&Choices::from_script(Script::default()));
        assert!(plain.iter().all(|value| *value == 0));
    }

    #[test]
    fn a_chance_comes_as_often_as_it_says() {
        let choices = Choices::from_seed(1);
        let count = |millionths| {
            let happens = |_: &u32| choices.chance(ChoiceKind::Fault, WIRE, millionths);
            (0..10_000).filter(happens).count()
        };
        assert!((900..1_100).contains(&count(100_000)));
        assert_eq!((count(0), count(1_000_000)), (0, 10_000));
    }

    #[test]
    fn a_delay_is_at_most_the_greatest() {
        let choices = Choices::from_seed(5);
        let mut greatest = 0;
        for _ in 0..1_000 {
            let delay = choices.delay(WIRE, 1_000_000);
            assert!(delay <= 1_000_000);
            greatest = greatest.max(delay);
        }
        assert!(greatest > 990_000);
        assert_eq!(choices.delay(WIRE, 0), 0);
        assert!(choices.delay(WIRE, u64::MAX) > 0);
        assert!((0..20).all(|_| choices.delay(WIRE, 1) <= 1));
    }
}
