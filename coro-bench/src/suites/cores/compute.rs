//! A computation that is spread over cores, without any waiting.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use coro::cores::Builder;

use crate::harness::{Bound, Case, Effort, Reading, Role, Sample};
use crate::machine::cpu_time;

const REPEATS: usize = 5;

pub(super) fn case() -> Case {
    Case::new("a step of a computation", "coro, 1 core")
        .subject("coro, 2 cores", Role::Coro, |effort| sample(effort, 2))
        .subject("coro, 1 core", Role::Floor, |effort| sample(effort, 1))
        .goal_for("wall", Bound::Times(1.0 / 1.9, "coro, 1 core"))
}

/// The steps are divided among the cores.
fn sample(effort: &Effort, cores: usize) -> Sample {
    let steps = effort.count(400_000_000);
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for repeat in 0..=REPEATS {
        let (begin, used) = (Instant::now(), cpu_time());
        let ran = Builder::new().threads(cores).run(async |core| {
            let mut state = core.index() as u64;
            for step in 0..steps / cores as u64 {
                state = black_box(state.wrapping_mul(6_364_136_223_846_793_005) ^ step);
            }
            Ok::<_, Infallible>(state)
        });
        black_box(ran.map_err(|error| error.to_string())?);
        if repeat > 0 {
            cpu.push((cpu_time() - used).as_nanos() as f64 / steps as f64);
            wall.push(begin.elapsed().as_nanos() as f64 / steps as f64);
        }
    }
    Ok(vec![
        Reading::new("CPU", "ns", cpu),
        Reading::new("wall", "ns", wall),
    ])
}
