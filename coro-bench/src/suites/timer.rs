//! The cost of timers, their lateness, how long many of them stall the loop.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::harness::{Bound, Case, Reading, Role, Sample, Suite, time, time_async};
use crate::machine::{self, Poller};
use crate::runtimes::{Timers, in_task, subjects};
use crate::work::{Numbers, yield_once};

/// Further away than any sample lasts.
const FAR: Duration = Duration::from_secs(3600);

pub(crate) fn suite() -> Suite {
    Suite::new("timer", "sleeping: what it costs, and how exact it is")
        .rounds(5, 1)
        .case(
            arming("arm and cancel a sleep", 0)
                .subject(CLOCK, Role::Floor, |effort| {
                    look_at_clock(effort.count(1_000_000))
                })
                .goal(Bound::AtMost(15.0))
                .goal(Bound::Over(8.0, CLOCK))
                .goal(Bound::AheadOfPeers(1.0)),
        )
        .case(arming("arm and cancel a sleep, 100,000 live", 100_000).goal(Bound::AtMost(25.0)))
        .case(
            subjects!(
                Case::new("a million random deadlines over 2 s", "coro"),
                [Coro, TokioLocalRuntime, Smol, Monoio, Compio, Glommio],
                |effort| storm::<R>(
                    effort.count(1_000_000),
                    Duration::from_millis(effort.count(2_000))
                )
            )
            .goal_for(CPU, Bound::AtMost(1_500.0))
            .goal_for(CPU, Bound::AtMost(1_000.0))
            .goal_for(LATE_P99, Bound::AtMost(30.0))
            .goal_for(STALL, Bound::AtMost(200.0))
            .goal_for(EARLY, Bound::AtMost(0.0)),
        )
        .case(
            subjects!(
                Case::new("one lone timer on an idle loop", "epoll_pwait2, slack 1 ns"),
                [Coro, TokioLocalRuntime, Smol, Monoio, Compio, Glommio],
                |effort| lone::<R>(effort.count(1_000))
            )
            .subject("epoll_pwait2, slack 1 ns", Role::Floor, |effort| {
                lone_wait(effort.count(1_000))
            })
            .goal_for(LATE_P50, Bound::Times(1.05, "epoll_pwait2, slack 1 ns"))
            .goal_for(LATE_P99, Bound::Times(1.05, "epoll_pwait2, slack 1 ns")),
        )
}

const CLOCK: &str = "a look at the clock";
const CPU: &str = "CPU a timer";
const LATE_P50: &str = "lateness p50";
const LATE_P99: &str = "lateness p99";
const LATE_MAX: &str = "lateness max";
const STALL: &str = "longest wait of a due timer while none fires";
const EARLY: &str = "fired early";

fn arming(name: &'static str, live: u64) -> Case {
    subjects!(
        Case::new(name, "coro"),
        [Coro, TokioLocalRuntime, Smol, Monoio, Compio, Glommio],
        move |effort| arm_and_cancel::<R>(effort.count(500_000), live)
    )
}

/// Arms a sleep by polling it once, then drops it, a hundred in a step. Each of the `live` sleeps
/// has a task.
fn arm_and_cancel<R: Timers>(times: u64, live: u64) -> Sample {
    in_task::<R, _>(async move {
        let mut numbers = Numbers(1);
        for _ in 0..live {
            let delay = FAR + Duration::from_micros(numbers.below(1_000_000_000));
            R::detach(async move {
                R::sleep(delay).await;
            });
        }
        yield_once().await;
        time_async(times, || async {
            for _ in 0..times / 100 {
                std::future::poll_fn(|cx| {
                    for number in 0..100 {
                        let sleep = pin!(R::sleep(FAR + Duration::from_millis(number)));
                        let waits = sleep.poll(cx).is_pending();
                        assert!(waits, "an hour has not passed");
                    }
                    Poll::Ready(())
                })
                .await;
                yield_once().await;
            }
        })
        .await
    })
}

fn look_at_clock(times: u64) -> Sample {
    time(times, || {
        for _ in 0..times {
            std::hint::black_box(Instant::now());
        }
    })
}

/// Deadlines that the tasks of a storm have seen pass.
#[derive(Default)]
struct Seen {
    late_ns: Vec<u64>,
    early: u64,
    last: Option<Instant>,
    stall: Duration,
}

impl Seen {
    fn fired(&mut self, deadline: Instant) {
        let now = Instant::now();
        match now.checked_duration_since(deadline) {
            None => self.early += 1,
            Some(late) => self.late_ns.push(late.as_nanos() as u64),
        }
        let waiting_since = self.last.map_or(deadline, |last| last.max(deadline));
        self.stall = self.stall.max(now.saturating_duration_since(waiting_since));
        self.last = Some(now);
    }

    fn readings(mut self, cpu: Option<Duration>) -> Vec<Reading> {
        let count = self.late_ns.len().max(1);
        self.late_ns.sort_unstable();
        let micros = |part: usize| {
            let place = (count * part / 1000).min(count - 1);
            self.late_ns.get(place).copied().unwrap_or(0) as f64 / 1e3
        };
        let mut readings = vec![
            Reading::one(LATE_P50, "µs", micros(500)),
            Reading::one(LATE_P99, "µs", micros(990)),
            Reading::one(LATE_MAX, "µs", micros(1000)),
            Reading::one(EARLY, "timers", self.early as f64),
        ];
        if let Some(cpu) = cpu {
            readings.insert(
                0,
                Reading::one(CPU, "ns", cpu.as_nanos() as f64 / count as f64),
            );
            readings.push(Reading::one(
                STALL,
                "µs",
                self.stall.as_nanos() as f64 / 1e3,
            ));
        }
        readings
    }
}

/// A task for each deadline. All are armed before the first deadline is due. The CPU time is that
/// of the whole process, from the first spawning to the last firing.
fn storm<R: Timers>(timers: u64, over: Duration) -> Sample {
    in_task::<R, _>(async move {
        let before = machine::cpu_time();
        let seen = Rc::new(RefCell::new(Seen {
            late_ns: Vec::with_capacity(timers as usize),
            ..Seen::default()
        }));
        let begin = Instant::now() + 4 * over;
        let mut numbers = Numbers(7);
        for _ in 0..timers {
            let deadline = begin + Duration::from_nanos(numbers.below(over.as_nanos() as u64));
            let seen = seen.clone();
            R::detach(async move {
                R::sleep_until(deadline).await;
                seen.borrow_mut().fired(deadline);
            });
        }
        yield_once().await;
        if Instant::now() > begin {
            return Err("arming took longer than the sample has planned for".to_owned());
        }
        R::sleep_until(begin + over).await;
        while Rc::strong_count(&seen) > 1 {
            R::sleep(Duration::from_millis(10)).await;
        }
        let cpu = machine::cpu_time() - before;
        Ok(seen.take().readings(Some(cpu)))
    })?
}

/// One timer of one to three milliseconds at a time, with no other work.
fn lone<R: Timers>(times: u64) -> Sample {
    in_task::<R, _>(async move {
        let mut seen = Seen::default();
        let mut numbers = Numbers(3);
        for _ in 0..times {
            let deadline = Instant::now() + short(&mut numbers);
            R::sleep_until(deadline).await;
            seen.fired(deadline);
        }
        seen.readings(None)
    })
}

fn short(numbers: &mut Numbers) -> Duration {
    Duration::from_nanos(1_000_000 + numbers.below(2_000_000))
}

/// The same without a loop: the kernel's own lateness.
fn lone_wait(times: u64) -> Sample {
    let poller = machine::set_least_slack().and_then(|()| Poller::with_idle_descriptor());
    let mut poller = poller.map_err(|error| error.to_string())?;
    let mut seen = Seen::default();
    let mut numbers = Numbers(3);
    for _ in 0..times {
        let deadline = Instant::now() + short(&mut numbers);
        poller
            .wait_until(deadline)
            .map_err(|error| error.to_string())?;
        seen.fired(deadline);
    }
    Ok(seen.readings(None))
}
