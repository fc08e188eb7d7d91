//! A worker on a real server: failures, dead jobs, the end in order, a server that is away.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use coro::{CancelToken, gather, sleep, spawn};
use jobs::{Acknowledge, Job, JobEvent, Producer, Queue, Worker};

use crate::real_redis::RealRedis;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A worker that is quick to see that things have changed.
fn quick(queue: &Queue, name: &str) -> Worker {
    Worker::new(queue, name)
        .lease(ms(300))
        .block(ms(50))
        .back_off(ms(100))
}

fn text(job: &Job) -> String {
    String::from_utf8(job.payload.clone()).unwrap()
}

/// Waits until a condition holds, which other tasks bring about.
async fn until(mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            sleep(ms(2)).await;
        }
    };
    coro::timeout(ms(30_000), wait).await.expect("in time");
}

#[coro::test(real)]
async fn each_job_is_done_once_and_not_more_at_a_time_than_allowed() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Producer::new(&queue);
    let (running, most) = <(Rc<Cell<u32>>, Rc<Cell<u32>>)>::default();
    let done = Rc::<RefCell<Vec<String>>>::default();
    let work = {
        let (most, done) = (most.clone(), done.clone());
        async move |job: Job| {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            sleep(ms(3)).await;
            running.set(running.get() - 1);
            done.borrow_mut().push(text(&job));
            Ok::<_, Infallible>(())
        }
    };
    let stop = CancelToken::new();
    let worker = quick(&queue, "w").concurrency(4);
    let (worked, ()) = gather((worker.run(work, &stop), async {
        for number in 0..100 {
            producer.push(format!("{number:02}")).await.unwrap();
        }
        until(|| done.borrow().len() == 100).await;
        stop.cancel("all are done");
    }))
    .await;
    assert_eq!(worked.unwrap().done, 100);
    assert_eq!(most.get(), 4);
    done.borrow_mut().sort();
    done.borrow_mut().dedup();
    assert_eq!(done.borrow().len(), 100);
    let backlog = producer.backlog().await.unwrap();
    assert_eq!((backlog.unfinished, backlog.held, backlog.dead), (0, 0, 0));
}

#[coro::test(real)]
async fn a_job_that_fails_comes_again_and_is_put_aside_in_the_end_with_its_reason() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Producer::new(&queue);
    producer.push("fails twice").await.unwrap();
    let fails = producer.push("fails").await.unwrap();
    let panics = producer.push("panics").await.unwrap();
    let events = Rc::<RefCell<Vec<JobEvent>>>::default();
    let heard = events.clone();
    let worker = quick(&queue, "w").lease(ms(60)).deliveries(3);
    let worker = worker.on_event(move |event| heard.borrow_mut().push(event.clone()));
    let work = async |job: Job| match text(&job).as_str() {
        "fails twice" if job.delivery > 2 => Ok(()),
        "panics" => panic!("by nature"),
        _ => Err("not today"),
    };
    let stop = CancelToken::new();
    let (worked, ()) = gather((worker.run(work, &stop), async {
        while producer.backlog().await.unwrap().unfinished > 0 {
            sleep(ms(10)).await;
        }
        stop.cancel("all have come to an end");
    }))
    .await;
    assert_eq!(worked.unwrap().done, 1);
    assert_eq!(producer.backlog().await.unwrap().dead, 2);
    for (id, reason) in [(fails, "not today"), (panics, "it panicked: by nature")] {
        let put_aside = JobEvent::PutAside {
            id: id.clone(),
            reason: reason.to_owned(),
        };
        assert!(events.borrow().contains(&put_aside), "{events:?}");
        let of_it = |event: &&JobEvent| matches!(event, JobEvent::Failed(job, _) if job.id == id);
        assert_eq!(events.borrow().iter().filter(of_it).count(), 3);
    }
}

#[coro::test(real)]
async fn an_entry_that_is_no_job_is_put_aside_as_it_is() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let client = redis::Client::open(format!("redis://{}", redis.address)).unwrap();
    let mut client = client.get_connection().unwrap();
    let mut add = redis::cmd("XADD");
    add.arg(&["q", "*", "colour", "blue"])
        .exec(&mut client)
        .unwrap();
    let stop = CancelToken::new();
    let producer = Producer::new(&queue);
    let worker = quick(&queue, "w");
    let never = async |_| -> Result<(), Infallible> { panic!("it is no job") };
    let (worked, ()) = gather((worker.run(never, &stop), async {
        while producer.backlog().await.unwrap().dead == 0 {
            sleep(ms(5)).await;
        }
        stop.cancel("it was put aside");
    }))
    .await;
    assert_eq!(worked.unwrap().done, 0);
    let mut range = redis::cmd("XRANGE");
    type Fields = Vec<(String, Vec<String>)>;
    let dead: Fields = range.arg(&["q:dead", "-", "+"]).query(&mut client).unwrap();
    assert_eq!(dead[0].1[..2], ["colour", "blue"]);
    assert_eq!(dead[0].1[6..], ["dead-reason", "it has no field `payload`"]);
}

#[coro::test(real)]
async fn a_worker_that_is_to_stop_finishes_its_jobs_and_begins_no_more() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Producer::new(&queue);
    for _ in 0..10 {
        producer.push("slow").await.unwrap();
    }
    let begun = Rc::<Cell<u32>>::default();
    let count = begun.clone();
    let work = async move |_| {
        count.set(count.get() + 1);
        sleep(ms(100)).await;
        Ok::<_, Infallible>(())
    };
    let stop = CancelToken::new();
    let worker = quick(&queue, "w").concurrency(3);
    let (worked, ()) = gather((worker.run(work, &stop), async {
        until(|| begun.get() == 3).await;
        stop.cancel("in the midst");
    }))
    .await;
    let worked = worked.unwrap();
    assert_eq!((worked.done, worked.dropped, begun.get()), (3, 0, 3));
    let backlog = producer.backlog().await.unwrap();
    assert_eq!((backlog.unfinished, backlog.held), (7, 0));
}

#[coro::test(real)]
async fn jobs_longer_than_the_grace_are_dropped_and_taken_over_by_another_worker() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Producer::new(&queue);
    producer.push("endless at first").await.unwrap();
    let begun = Rc::<Cell<u32>>::default();
    let work = {
        let begun = begun.clone();
        async move |job: Job| {
            begun.set(begun.get() + 1);
            if job.delivery == 1 {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(())
        }
    };
    let stop = CancelToken::new();
    let worker = quick(&queue, "one").grace(ms(20));
    let (worked, ()) = gather((worker.run(work.clone(), &stop), async {
        until(|| begun.get() == 1).await;
        stop.cancel("in the midst");
    }))
    .await;
    let worked = worked.unwrap();
    assert_eq!((worked.done, worked.dropped), (0, 1));

    let stop = CancelToken::new();
    let worker = quick(&queue, "another");
    let (worked, ()) = gather((worker.run(work, &stop), async {
        while producer.backlog().await.unwrap().unfinished > 0 {
            sleep(ms(5)).await;
        }
        stop.cancel("done");
    }))
    .await;
    assert_eq!((worked.unwrap().done, begun.get()), (1, 2));
}

#[coro::test(real)]
async fn a_job_longer_than_its_lease_stays_with_its_worker() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Producer::new(&queue);
    producer.push("long").await.unwrap();
    let begun = Rc::<Cell<u32>>::default();
    let work = {
        let begun = begun.clone();
        async move |_| {
            begun.set(begun.get() + 1);
            sleep(ms(2_500)).await;
            Ok::<_, Infallible>(())
        }
    };
    let stop = CancelToken::new();
    let second = |name| quick(&queue, name).lease(ms(1_000));
    let (one, other) = (second("one"), second("other"));
    let (one, other, ()) = gather((
        one.run(work.clone(), &stop),
        other.run(work, &stop),
        async {
            while producer.backlog().await.unwrap().unfinished > 0 {
                sleep(ms(5)).await;
            }
            stop.cancel("done");
        },
    ))
    .await;
    assert_eq!(
        (one.unwrap().done + other.unwrap().done, begun.get()),
        (1, 1)
    );
}

#[coro::test(real)]
async fn a_server_that_is_away_or_has_lost_its_memory_stops_no_worker() {
    let Some(mut redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Rc::new(Producer::new(&queue));
    let done = Rc::<Cell<u32>>::default();
    let troubles = Rc::<Cell<u32>>::default();
    let (count, trouble) = (done.clone(), troubles.clone());
    let worker = quick(&queue, "w").on_event(move |event| match event {
        JobEvent::Trouble(..) => trouble.set(trouble.get() + 1),
        JobEvent::Acknowledged(_) => count.set(count.get() + 1),
        _ => {}
    });
    let stop = CancelToken::new();
    let work = async |_| Ok::<_, Infallible>(());
    let stopping = stop.clone();
    let running = spawn(async move { worker.run(work, &stopping).await });
    producer.push("before").await.unwrap();
    until(|| done.get() == 1).await;

    redis.kill();
    until(|| troubles.get() >= 2).await; // it tries again
    redis.start_again();
    while producer.push("after").await.is_err() {
        sleep(ms(5)).await;
    }
    until(|| done.get() == 2).await;

    let client = redis::Client::open(format!("redis://{}", redis.address)).unwrap();
    let flushed: String = redis::cmd("FLUSHALL")
        .query(&mut client.get_connection().unwrap())
        .unwrap();
    assert_eq!(flushed, "OK");
    producer.push("in a new stream").await.unwrap();
    until(|| done.get() == 3).await;
    stop.cancel("done");
    assert_eq!(running.await.unwrap().unwrap().done, 3);
}

#[coro::test(real)]
async fn a_name_that_belongs_to_another_kind_of_value_is_an_error_at_once() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let client = redis::Client::open(format!("redis://{}", redis.address)).unwrap();
    let mut client = client.get_connection().unwrap();
    redis::cmd("SET")
        .arg(&["q", "text"])
        .exec(&mut client)
        .unwrap();
    let worker = quick(&Queue::new(&redis.address(), "q"), "w");
    let work = async |_| Ok::<_, Infallible>(());
    let error = worker.run(work, &CancelToken::new()).await.unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
}

#[coro::test(real)]
async fn a_job_that_is_pushed_again_with_its_token_is_there_once() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let producer = Producer::new(&Queue::new(&redis.address(), "q"));
    let minute = ms(60_000);
    assert!(
        producer
            .push_once("a", minute, "1")
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        producer
            .push_once("a", minute, "1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        producer
            .push_once("b", minute, "1")
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(producer.backlog().await.unwrap().unfinished, 2);
}

#[coro::test(real)]
async fn acknowledged_before_the_work_a_failure_is_final() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let queue = Queue::new(&redis.address(), "q");
    let producer = Producer::new(&queue);
    producer.push("fails").await.unwrap();
    let failures = Rc::<Cell<u32>>::default();
    let count = failures.clone();
    let worker = quick(&queue, "w").acknowledge(Acknowledge::BeforeTheWork);
    let worker = worker.on_event(move |event| {
        if let JobEvent::Failed(..) = event {
            count.set(count.get() + 1);
        }
    });
    let stop = CancelToken::new();
    let (worked, ()) = gather((worker.run(async |_| Err("no"), &stop), async {
        until(|| failures.get() == 1).await;
        sleep(ms(400)).await; // longer than the lease, after which it would come again
        stop.cancel("done");
    }))
    .await;
    assert_eq!((worked.unwrap().done, failures.get()), (0, 1));
    assert_eq!(producer.backlog().await.unwrap().unfinished, 0);
}

#[coro::test(real)]
async fn a_server_with_a_password_is_told_it_and_refuses_another() {
    let Some(redis) = RealRedis::start() else {
        return;
    };
    let client = redis::Client::open(format!("redis://{}", redis.address)).unwrap();
    let mut client = client.get_connection().unwrap();
    let mut set = redis::cmd("CONFIG");
    set.arg(&["SET", "requirepass", "secret"])
        .exec(&mut client)
        .unwrap();
    let queue = Queue::new(&redis.address(), "q");
    let told = Producer::new(&queue.clone().password("secret"));
    assert!(told.push("a").await.is_ok());
    for refused in [queue.clone(), queue.password("guess")] {
        assert!(!format!("{refused:?}").contains("guess"));
        let worker = quick(&refused, "w");
        let work = async |_| Ok::<_, Infallible>(());
        assert!(worker.run(work, &CancelToken::new()).await.is_err());
    }
}
