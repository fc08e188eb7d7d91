//! Workers on hosts of a simulation, with kills, losses of power and partitions; by seeds.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use coro::CancelToken;
use coro::testing::{Host, Sim};
use jobs::{Job, JobEvent, Producer, Queue, Worker};

use crate::simulated_redis::{Memory, serve};

const JOBS: u32 = 12;
/// The job that fails each time, and the one that ends its worker each time.
const FAILS: u32 = 4;
const KILLS: u32 = 7;
const WORKERS: [&str; 3] = ["one", "two", "three"];

fn ms(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}

/// A delivery: the life of the worker that has it, and the number of the job.
type Delivery = (u32, u32);

/// Everything that has happened, as the test sees it.
#[derive(Default)]
struct History {
    lives: Cell<u32>,
    /// Which worker each life is of.
    of_worker: RefCell<BTreeMap<u32, &'static str>>,
    killed: RefCell<BTreeSet<u32>>,
    effects: RefCell<Vec<Delivery>>,
    acknowledged: RefCell<Vec<Delivery>>,
    not_held: RefCell<Vec<Delivery>>,
}

fn number(job: &Job) -> u32 {
    let text = String::from_utf8_lossy(&job.payload);
    text.parse().expect("the test pushes numbers")
}

/// The program of a worker's host.
async fn work(name: &'static str, history: Rc<History>, hosts: Rc<RefCell<Vec<Host>>>) {
    let life = history.lives.get() + 1;
    history.lives.set(life);
    history.of_worker.borrow_mut().insert(life, name);
    let events = history.clone();
    let worker = Worker::new(&Queue::new("redis:6379", "q"), name)
        .concurrency(3)
        .lease(ms(300))
        .block(ms(100))
        .back_off(ms(100))
        .on_event(move |event| match event {
            JobEvent::Acknowledged(job) => {
                events.acknowledged.borrow_mut().push((life, number(job)))
            }
            JobEvent::NotHeld(job) => events.not_held.borrow_mut().push((life, number(job))),
            _ => {}
        });
    let handle = async move |job: Job| {
        let number = number(&job);
        coro::sleep(ms(2 + number % 5)).await;
        match number {
            FAILS => return Err("it is a job that fails"),
            KILLS => kill(name, &history, &hosts.borrow()),
            _ => history.effects.borrow_mut().push((life, number)),
        }
        coro::sleep(ms(1 + number % 4)).await; // a kill after the effect repeats it
        Ok(())
    };
    let worked = worker.run(handle, &CancelToken::new()).await;
    worked.expect("the server takes the group");
}

fn kill(name: &str, history: &History, hosts: &[Host]) {
    let host = hosts
        .iter()
        .find(|host| host.name() == name)
        .expect("a host");
    let lives = history.of_worker.borrow();
    let lives = lives.iter().filter(|(_, of)| **of == name);
    history
        .killed
        .borrow_mut()
        .extend(lives.map(|(life, _)| life));
    host.kill();
}

async fn push_all(sim: &Sim) {
    let producer = Producer::new(&Queue::new("redis:6379", "q"));
    for number in 1..=JOBS {
        let payload = number.to_string();
        while producer
            .push_once(&payload, ms(600_000), &payload)
            .await
            .is_err()
        {
            sim.note("a push is repeated");
            coro::sleep(ms(30)).await;
        }
    }
}

/// One mishap, of one host or of the network.
async fn mishap(sim: &Sim, server: &Host, history: &History, hosts: &[Host]) {
    let host = &hosts[sim.choose(3) as usize];
    match sim.choose(6) {
        0 => {}
        1 => kill(host.name(), history, hosts),
        2 => {
            kill(host.name(), history, hosts);
            host.power_off();
        }
        3 => {
            server.kill();
            coro::sleep(ms(sim.choose(400))).await;
            server.restart();
        }
        4 => {
            server.power_off();
            coro::sleep(ms(sim.choose(200))).await;
            server.restart();
        }
        _ => {
            let cut = sim.partition(&["redis"], &[host.name()]);
            coro::sleep(ms(sim.choose(700))).await;
            drop(cut);
        }
    }
}

#[coro::test(seeds = 40)]
async fn no_job_is_lost_and_each_repetition_has_its_reason(sim: &Sim) {
    let memory = Rc::<Memory>::default();
    let history = Rc::<History>::default();
    let hosts = Rc::<RefCell<Vec<Host>>>::default();
    let of_server = memory.clone();
    let server = sim.host("redis", move || serve(of_server.clone()));
    for name in WORKERS {
        let (history, of_work) = (history.clone(), hosts.clone());
        let host = sim.host(name, move || work(name, history.clone(), of_work.clone()));
        hosts.borrow_mut().push(host);
    }
    let hosts = hosts.borrow().clone();
    let mishaps = async {
        for _ in 0..sim.choose(6) {
            coro::sleep(ms(sim.choose(150))).await;
            mishap(sim, &server, &history, &hosts).await;
        }
    };
    let supervisor = async {
        // The number of rounds is far more than the deliveries of all jobs take.
        for _ in 0..3_000 {
            coro::sleep(ms(40)).await;
            let dead = hosts.iter().filter(|host| !host.is_running());
            dead.for_each(Host::restart);
            let streams = memory.streams.borrow();
            if streams.payloads("q").is_empty() && streams.payloads("q:dead").len() >= 2 {
                return;
            }
        }
        panic!("unfinished: {:?}", memory.streams.borrow().payloads("q"));
    };
    coro::gather((push_all(sim), mishaps, supervisor)).await;
    coro::sleep(ms(1_000)).await; // nothing more may happen
    check(&history, &memory);
}

fn check(history: &History, memory: &Memory) {
    let streams = memory.streams.borrow();
    assert!(streams.payloads("q").is_empty());
    let mut dead = streams.payloads("q:dead");
    dead.sort();
    assert_eq!(dead, [FAILS.to_string(), KILLS.to_string()]);
    let killed = history.killed.borrow();
    let not_held = history.not_held.borrow();
    for number in (1..=JOBS).filter(|number| ![FAILS, KILLS].contains(number)) {
        let of_it = |(_, of): &&Delivery| *of == number;
        let effects = history.effects.borrow();
        let effects: Vec<_> = effects.iter().filter(of_it).collect();
        let acknowledged = history.acknowledged.borrow();
        let acknowledged = acknowledged.iter().filter(of_it).count();
        assert!(!effects.is_empty(), "job {number} is lost");
        assert!(acknowledged <= 1, "job {number} was acknowledged twice");
        let has_reason = |it: &&&Delivery| killed.contains(&it.0) || not_held.contains(it);
        let with_reason = effects.iter().filter(has_reason).count();
        assert!(
            effects.len() - with_reason <= 1,
            "job {number} was done again without a reason: {effects:?}"
        );
    }
}
