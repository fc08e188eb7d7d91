//! The network of a `Sim`: its latency, its rules, its faults.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::sim::Sim;
use crate::clock::nanos;
use crate::machine::{Faults, Kernel, Packet, Verdict};

/// A rule of the network, or a partition. Dropping it lifts the rule.
#[must_use = "dropping it lifts the rule"]
pub struct RuleGuard {
    sim: Sim,
    kernel: Rc<Kernel>,
    rule: u64,
    /// The line of the chart when it is lifted.
    end: Option<String>,
}

impl Sim {
    /// Sets the time that each packet takes between two hosts: at least `least`, and up to `jitter`
    /// more, which is a decision. At first it is a millisecond, without jitter. Within a host a
    /// packet arrives at once.
    pub fn latency(&self, least: Duration, jitter: Duration) {
        self.kernel().set_latency(nanos(least), nanos(jitter));
    }

    /// Has each packet judged by `rule` before it is sent, until the guard is dropped. The first
    /// rule that does not [pass](Verdict::Pass) a packet decides.
    ///
    /// A rule may do everything, such as [decide](Self::choose), kill a host, or make another rule.
    /// It is also asked about the packets that a host sends to itself, but for those of Unix
    /// sockets.
    ///
    /// ```
    /// use coro::testing::{PacketKind, Sim, Verdict, explore};
    ///
    /// explore().seeds(10).run(async |sim: &Sim| {
    ///     let _lossy = sim.rule({
    ///         let sim = sim.clone();
    ///         move |packet| match packet.kind {
    ///             PacketKind::Datagram if sim.chance(50_000) => Verdict::Drop, // one in twenty
    ///             _ => Verdict::Pass,
    ///         }
    ///     });
    /// });
    /// ```
    pub fn rule(&self, rule: impl Fn(&Packet<'_>) -> Verdict + 'static) -> RuleGuard {
        let kernel = self.kernel();
        RuleGuard {
            sim: self.clone(),
            rule: kernel.add_rule(Rc::new(rule)),
            kernel,
            end: None,
        }
    }

    /// Has every packet lost between a host of `one` and a host of `other`, in both directions,
    /// until the guard is dropped. The host of the test is called `test`.
    pub fn partition(&self, one: &[&str], other: &[&str]) -> RuleGuard {
        let [a, b] = [one, other]
            .map(|names| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() });
        let between = format!("{} | {}", a.join(", "), b.join(", "));
        self.note(format!("partition: {between}"));
        let is_in = |names: &[String], name: &str| names.iter().any(|it| it == name);
        let rule = move |packet: &Packet<'_>| {
            let there = is_in(&a, packet.from) && is_in(&b, packet.to);
            let back = is_in(&b, packet.from) && is_in(&a, packet.to);
            if there || back {
                Verdict::Drop
            } else {
                Verdict::Pass
            }
        };
        let mut guard = self.rule(rule);
        guard.end = Some(format!("no partition: {between}"));
        guard
    }

    /// Sets the rates of the faults that the simulated system makes, on all hosts.
    pub fn faults(&self, faults: Faults) {
        self.kernel().set_faults(faults);
    }
}

impl Drop for RuleGuard {
    fn drop(&mut self) {
        self.kernel.remove_rule(self.rule);
        if let Some(end) = self.end.take() {
            self.sim.note(end);
        }
    }
}

impl fmt::Debug for RuleGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleGuard").finish_non_exhaustive()
    }
}
