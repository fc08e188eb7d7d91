//! Jobs on a Redis stream, for workers on any number of machines. The server is Redis 7 or later.
//!
//! A [`Producer`] adds jobs to a stream. A [`Worker`] takes them, each worker others, and calls a
//! coroutine for each, up to a number of them at a time:
//!
//! ```no_run
//! use coro::CancelToken;
//! use jobs::{Job, Producer, Queue, Worker};
//!
//! async fn greet(job: Job) -> Result<(), std::io::Error> {
//!     println!("hello, {}", String::from_utf8_lossy(&job.payload));
//!     Ok(())
//! }
//!
//! #[coro::main]
//! async fn main() -> Result<(), jobs::RedisError> {
//!     let queue = Queue::new("127.0.0.1:6379", "greetings");
//!     Producer::new(&queue).push("ann").await?;
//!     let worker = Worker::new(&queue, "worker-1").concurrency(8);
//!     worker.run(greet, &CancelToken::new()).await?; // until the token is cancelled
//!     Ok(())
//! }
//! ```
//!
//! # The promise
//!
//! A job is done **at least once**. It stays in the stream, as the property of one worker, until the
//! coroutine has returned `Ok` and the worker has acknowledged it. The promise is as good as the
//! server's memory: with `appendonly yes` and `appendfsync always` the server forgets nothing that it
//! has answered, with `everysec` it may lose the last second when its machine fails.
//!
//! A job is done **more than once** only in these cases, so a job has to bear it:
//!
//! - its worker died after the work, or in the midst of it, and before the acknowledgement;
//! - its lease lapsed although its worker lives: the worker was stopped, or could not reach the
//!   server, for longer than the [lease](Worker::lease). Then another worker has taken the job over.
//!   The first one is told at its next contact, and drops the coroutine if it still runs;
//! - it failed, or was dropped at the end of its worker's [grace](Worker::grace), when a part of the
//!   work was done.
//!
//! # How it works
//!
//! - The workers are consumers of one group. `XREADGROUP` gives each entry of the stream to one of
//!   them; a worker asks for as many as it has room for, so none wait in its memory.
//! - A worker *holds* the job from then on. The server measures how long ago it was given; the worker
//!   renews the jobs that it works on, long before the lease is over. The jobs of a worker that died
//!   are not renewed, and `XAUTOCLAIM` gives them to others.
//! - After the work the entry is acknowledged (`XACK`) and deleted in one step.
//! - A job that fails, by an error or a panic, is left to its lease, and is delivered again when it
//!   has lapsed. After a [number of deliveries](Worker::deliveries) it goes to the stream of dead
//!   jobs, with the reason. So does a job that has ended each of its workers, and an entry that is no
//!   job.
//! - A job that was delivered twice and not finished may be one that ends its workers. From the third
//!   delivery on a worker has one such job at a time, so that the same neighbours do not die with it
//!   each time, and are not put aside with it.
//! - While the server is away, a worker goes on with the jobs that it has, and tries to reach the
//!   server with growing delays.

mod commands;
mod job;
mod link;
mod producer;
mod shift;
mod worker;

pub use commands::{CLAIM, LEAVE, PUSH_ONCE, RENEW, SETTLE, SUSPECT};
pub use job::{Job, JobEvent};
pub use producer::{Backlog, Producer};
pub use redis::RedisError;
pub use worker::{Acknowledge, Queue, Worked, Worker};
