//! A store of three replicas, whose leader is followed by another when its lease has run out.
//!
//! ```text
//! $ cargo run --release --features simulation --example replicated_kv
//! ..
//! failed ..: an acknowledged write is lost: ..
//! ..
//! the sound failover lost nothing with 1000 seeds
//! ```
//!
//! A client writes, and notes the writes that are acknowledged, while hosts lose their power and
//! come back, and the network falls apart. At the end everything is healed, and each acknowledged
//! write must be there. A failover in which replicas vote for the first that asks loses one: the new
//! leader need not have been part of the majority that has the write.

mod message;
mod replica;

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::sleep;
use coro::testing::{Host, RuleGuard, Sim, explore};
use message::{Message, call};
use replica::{Disk, Failover, Replica};

/// Fewer without optimization, which makes a run fifty times slower.
const SEEDS: u64 = if cfg!(debug_assertions) { 200 } else { 1_000 };
const WRITES: u32 = 8;

fn main() {
    match explore().seeds(SEEDS).try_run(careless) {
        Err(failed) => println!("{failed}"),
        Ok(_) => println!("the careless failover lost nothing, by luck"),
    }
    let begun = Cell::new(0);
    explore().seeds(SEEDS).run(async |sim| {
        show_progress(&begun);
        sound(sim).await;
    });
    println!("the sound failover lost nothing with {SEEDS} seeds");
}

/// Prints a line now and then: a thousand simulations take a while.
fn show_progress(begun: &Cell<u64>) {
    begun.set(begun.get() + 1);
    if begun.get().is_multiple_of(50) {
        println!("{} runs", begun.get());
    }
}

pub(crate) async fn careless(sim: &Sim) {
    fail_over(sim, Failover::Careless).await;
}

pub(crate) async fn sound(sim: &Sim) {
    fail_over(sim, Failover::Sound).await;
}

async fn fail_over(sim: &Sim, failover: Failover) {
    let hosts = start(sim, failover);
    let mut acknowledged = Vec::new();
    for number in 0..WRITES {
        let outage = trouble(sim, &hosts);
        if write(&hosts, number).await {
            acknowledged.push(number);
        }
        drop(outage);
    }
    for host in &hosts {
        if !host.is_running() {
            host.restart();
        }
    }
    for number in acknowledged {
        let value = read(&hosts, number).await;
        let expected = format!("value{number}");
        assert_eq!(
            value, expected,
            "an acknowledged write is lost: key{number}"
        );
    }
}

/// Three replicas, on hosts that find each other by their addresses.
fn start(sim: &Sim, failover: Failover) -> Vec<Host> {
    let addresses: Vec<IpAddr> = (2..5).map(|n| IpAddr::from([10, 0, 0, n])).collect();
    let replica = |at: usize| {
        let disk = Rc::<Disk>::default();
        let mut others = addresses.clone();
        others.remove(at);
        let patience = Duration::from_millis(30 * at as u64);
        let program = move || Replica::new(failover, disk.clone(), others.clone(), patience).run();
        sim.host(["a", "b", "c"][at], program)
    };
    (0..3).map(replica).collect()
}

/// Now and then a host loses its power, or comes back, or cannot be reached for the next write.
fn trouble(sim: &Sim, hosts: &[Host]) -> Option<RuleGuard> {
    let all_run = hosts.iter().all(Host::is_running);
    match sim.choose(8) as usize {
        at @ 1..4 if all_run => hosts[at - 1].power_off(),
        at @ 4..7 => {
            let cut_off = hosts[at - 4].name();
            let names = ["a", "b", "c", "test"];
            let rest: Vec<&str> = names.into_iter().filter(|name| *name != cut_off).collect();
            return Some(sim.partition(&[cut_off], &rest));
        }
        7 => {
            let off = hosts.iter().find(|host| !host.is_running());
            off.inspect(|host| host.restart());
        }
        _ => {}
    }
    None
}

/// Writes one key; whether a leader has acknowledged it.
async fn write(hosts: &[Host], number: u32) -> bool {
    let put = Message::Put {
        key: format!("key{number}"),
        value: format!("value{number}"),
    };
    for _ in 0..10 {
        for host in hosts {
            if let Some(Message::Done { .. }) = call(host.ip(), &put).await {
                return true;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Reads one key, from the leader, however long it takes until there is one.
async fn read(hosts: &[Host], number: u32) -> String {
    let get = Message::Get {
        key: format!("key{number}"),
    };
    loop {
        for host in hosts {
            if let Some(Message::Done { value }) = call(host.ip(), &get).await {
                return value;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}
