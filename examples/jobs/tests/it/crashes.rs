//! A worker that is ended before each of its steps, in a simulation; and a design that loses jobs.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use coro::CancelToken;
use coro::testing::{Sim, crash_everywhere};
use jobs::{Acknowledge, Job, Producer, Queue, Worker};

use crate::simulated_redis::{Memory, serve};

const JOBS: [&str; 3] = ["red", "green", "blue"];
const CONCURRENCY: usize = 2;

/// All that outlives a crash: the server, and the effects of the jobs.
struct Survivors {
    memory: Rc<Memory>,
    effects: Rc<RefCell<Vec<String>>>,
}

fn queue() -> Queue {
    Queue::new("redis:6379", "q")
}

fn worker(name: &str, acknowledge: Acknowledge) -> Worker {
    Worker::new(&queue(), name)
        .concurrency(CONCURRENCY)
        .lease(Duration::from_millis(400))
        .block(Duration::from_millis(50))
        .back_off(Duration::from_millis(50))
        .acknowledge(acknowledge)
}

/// Makes the server, with its jobs, as a host of its own.
fn setup() -> Survivors {
    let memory = Rc::<Memory>::default();
    let of_host = memory.clone();
    Sim::current().host("redis", move || serve(of_host.clone()));
    for payload in JOBS {
        let add = ["XADD", "q", "*", "payload", payload].map(|word| word.as_bytes().to_vec());
        memory.run(&add);
    }
    Survivors {
        memory,
        effects: Rc::default(),
    }
}

/// Works until the queue is empty.
async fn work_off(worker: Worker, survivors: &Survivors) {
    let stop = CancelToken::new();
    let effects = survivors.effects.clone();
    let work = async move |job: Job| {
        coro::sleep(Duration::from_millis(3)).await;
        let payload = String::from_utf8(job.payload).map_err(|error| error.to_string())?;
        effects.borrow_mut().push(payload);
        coro::sleep(Duration::from_millis(3)).await;
        Ok::<_, String>(())
    };
    let memory = survivors.memory.clone();
    let watch = async {
        while !memory.streams.borrow().payloads("q").is_empty() {
            coro::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel("the queue is empty");
    };
    let (worked, ()) = coro::gather((worker.run(work, &stop), watch)).await;
    worked.expect("the server takes the group");
}

fn crash_at_every_step(acknowledge: Acknowledge) -> u64 {
    crash_everywhere(
        setup,
        move |survivors: Rc<Survivors>| async move {
            work_off(worker("one", acknowledge), &survivors).await;
        },
        async |survivors: &Survivors| {
            work_off(worker("other", acknowledge), survivors).await;
            let producer = Producer::new(&queue());
            let backlog = producer.backlog().await.expect("the server is there");
            assert_eq!((backlog.unfinished, backlog.held, backlog.dead), (0, 0, 0));
            let effects = survivors.effects.borrow();
            for payload in JOBS {
                assert!(effects.iter().any(|it| it == payload), "{payload} is lost");
            }
            // A crash repeats those jobs at most that the worker was at.
            assert!(effects.len() <= JOBS.len() + CONCURRENCY, "{effects:?}");
        },
    )
}

#[test]
fn a_worker_that_dies_before_any_of_its_steps_loses_no_job() {
    let steps = crash_at_every_step(Acknowledge::AfterTheWork);
    assert!(steps > 50, "the worker took {steps} steps only");
}

#[test]
fn an_acknowledgement_before_the_work_is_seen_to_lose_jobs() {
    let crashes = || crash_at_every_step(Acknowledge::BeforeTheWork);
    let panic = catch_unwind(AssertUnwindSafe(crashes)).expect_err("a crash loses a job");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("is lost"), "{text}");
}
