//! The jobs of a queue from a command line: workers, a producer, a look at the queue.
//!
//! It needs a Redis server. In one terminal, and in as many others as you like, on any machines:
//!
//! ```text
//! $ cargo run -p jobs -- work 127.0.0.1:6379 sums worker-1
//! $ cargo run -p jobs -- push 127.0.0.1:6379 sums 100
//! $ cargo run -p jobs -- look 127.0.0.1:6379 sums
//! ```
//!
//! A worker stops at a Ctrl-C or a SIGTERM, after the jobs that it has begun; kill it otherwise, and
//! the others take its jobs over. A job's payload is its number and its kind: a number of
//! milliseconds that it takes, `fails`, `panics`, or `kills`, which ends its worker.

use std::env;
use std::error::Error;
use std::process::{self, ExitCode};
use std::time::Duration;

use coro::signal::{SignalKind, ctrl_c, signal};
use coro::{CancelToken, race, sleep, spawn};
use jobs::{Job, Producer, Queue, Worker};

const USAGE: &str = "\
usage: jobs work ADDRESS QUEUE NAME [LEASE_MS]
       jobs push ADDRESS QUEUE COUNT [KIND]
       jobs look ADDRESS QUEUE";

#[coro::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["work", address, queue, name] => work(&Queue::new(address, queue), name, 30_000).await,
        ["work", address, queue, name, lease] => match lease.parse() {
            Ok(lease @ 3..) => work(&Queue::new(address, queue), name, lease).await,
            _ => {
                Err(format!("the lease is a number of milliseconds from 3 on, not {lease}").into())
            }
        },
        ["push", address, queue, count] => push(&Queue::new(address, queue), count, "20").await,
        ["push", address, queue, count, kind] => {
            push(&Queue::new(address, queue), count, kind).await
        }
        ["look", address, queue] => look(&Queue::new(address, queue)).await,
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn work(queue: &Queue, name: &str, lease: u64) -> Result<(), Box<dyn Error>> {
    let stop = CancelToken::new();
    let mut terminations = signal(SignalKind::terminate())?;
    let stopper = stop.clone();
    let interrupts = ctrl_c();
    let listening = spawn(async move {
        let by_hand = async { drop(interrupts.await) };
        race((by_hand, terminations.recv())).await;
        stopper.cancel("a signal");
    });
    let worker = Worker::new(queue, name)
        .concurrency(16)
        .lease(Duration::from_millis(lease))
        .deliveries(5)
        .back_off(Duration::from_millis(lease / 4))
        .on_event(|event| println!("{event}"));
    let worked = worker.run(handle, &stop).await?;
    listening.cancel();
    println!("stopped: {} done, {} dropped", worked.done, worked.dropped);
    Ok(())
}

/// The work of these jobs. The line on the standard output stands for the effect; it is in the midst of
/// the time that the job takes, so that a worker may die before it or after it.
async fn handle(job: Job) -> Result<(), String> {
    let text = String::from_utf8_lossy(&job.payload);
    let Some((number, kind)) = text.split_once(' ') else {
        return Err(format!("a payload is a number and a kind, not {text:?}"));
    };
    match kind {
        "fails" => return Err("it is a job that fails".to_owned()),
        "panics" => panic!("it is a job that panics"),
        "kills" => process::abort(),
        _ => {}
    }
    let millis = kind.parse().map_err(|error| format!("{kind:?}: {error}"))?;
    let half = Duration::from_millis(millis) / 2;
    sleep(half).await;
    println!("effect {} {number}", job.id);
    sleep(half).await;
    Ok(())
}

async fn push(queue: &Queue, count: &str, kind: &str) -> Result<(), Box<dyn Error>> {
    let producer = Producer::new(queue);
    let count: u32 = count
        .parse()
        .map_err(|error| format!("{count:?}: {error}"))?;
    let pushes = coro::group::map_concurrent(1..=count, 100, async |number| {
        producer.push(format!("{number} {kind}")).await
    });
    let added: Vec<String> = pushes.await.into_iter().collect::<Result<_, _>>()?;
    println!("added {} jobs", added.len());
    Ok(())
}

async fn look(queue: &Queue) -> Result<(), Box<dyn Error>> {
    let backlog = Producer::new(queue).backlog().await?;
    println!(
        "{} unfinished, of which workers hold {}; {} dead",
        backlog.unfinished, backlog.held, backlog.dead
    );
    Ok(())
}
