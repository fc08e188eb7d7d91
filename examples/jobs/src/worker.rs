//! `Worker`: its settings, and the one call that runs it.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use coro::CancelToken;
use redis::RedisError;

use crate::commands::Names;
use crate::job::{Job, JobEvent};
use crate::shift::Shift;

/// Where the jobs are: a server, a stream on it, and the group of its workers.
#[derive(Clone)]
pub struct Queue {
    pub(crate) address: String,
    pub(crate) password: Option<String>,
    pub(crate) names: Names,
}

impl Queue {
    /// The queue with this name, on the server at this address, such as `"127.0.0.1:6379"`.
    ///
    /// Its jobs are in the stream `name`, the dead ones in `name:dead`, and its workers are the group
    /// `workers`. On a cluster give it a name in braces, such as `{sums}`, so that all its keys are in
    /// one place.
    pub fn new(address: &str, name: &str) -> Self {
        Queue {
            address: address.to_owned(),
            password: None,
            names: Names {
                stream: name.to_owned(),
                dead: format!("{name}:dead"),
                group: "workers".to_owned(),
            },
        }
    }

    /// Gives the server this password at the beginning of each connection.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("address", &self.address)
            .field("names", &self.names)
            .finish_non_exhaustive() // the password is a secret
    }
}

/// When a worker acknowledges a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Acknowledge {
    /// When it is done: each job is done at least once.
    #[default]
    AfterTheWork,
    /// Before it is begun: each job is done at most once, and is lost if its worker dies. A failure is
    /// told, and nothing else: there are no further deliveries.
    BeforeTheWork,
}

/// A worker of a queue. The crate's page has the promise that it keeps.
#[derive(Clone)]
#[must_use = "a worker takes no job before `run` is awaited"]
pub struct Worker {
    pub(crate) queue: Queue,
    pub(crate) name: String,
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    pub(crate) deliveries: u32,
    pub(crate) grace: Duration,
    pub(crate) block: Duration,
    pub(crate) back_off: Duration,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) on_event: Rc<dyn Fn(&JobEvent)>,
}

impl Worker {
    /// A worker with this name, which no other that runs at the same time may have.
    ///
    /// A name that is used again after the worker's end, such as that of its machine and a number,
    /// keeps the server's list of workers short.
    pub fn new(queue: &Queue, name: &str) -> Self {
        Worker {
            queue: queue.clone(),
            name: name.to_owned(),
            concurrency: 16,
            lease: Duration::from_secs(30),
            deliveries: 5,
            grace: Duration::from_secs(30),
            block: Duration::from_secs(1),
            back_off: Duration::from_secs(5),
            acknowledge: Acknowledge::default(),
            on_event: Rc::new(|_| ()),
        }
    }

    /// How many jobs it works on at the same time: 16 by default.
    ///
    /// # Panics
    ///
    /// If it is zero, with which it would never begin.
    #[track_caller]
    pub fn concurrency(mut self, jobs: usize) -> Self {
        assert!(
            jobs > 0,
            "a worker for 0 jobs at a time would never begin one: allow at least one"
        );
        self.concurrency = jobs;
        self
    }

    /// For how long a job stays with a worker of which the server hears nothing: 30 seconds by
    /// default. A worker that lives renews its jobs three times in this time.
    ///
    /// It is the delay after which the jobs of a dead worker are taken over, and after which a job
    /// that failed is delivered again. All workers of a queue should have the same.
    ///
    /// # Panics
    ///
    /// If it is below 3 ms, in which no renewal would be in time.
    #[track_caller]
    pub fn lease(mut self, lease: Duration) -> Self {
        assert!(
            lease >= Duration::from_millis(3),
            "a lease of {lease:?} would lapse before it is renewed: take seconds"
        );
        self.lease = lease;
        self
    }

    /// How often a job is delivered before it is put aside: 5 times by default; 0 counts as 1.
    ///
    /// A delivery counts when it begins, so a job that has ended each of its workers is put aside by
    /// the next worker, which does not begin it.
    pub fn deliveries(mut self, deliveries: u32) -> Self {
        self.deliveries = deliveries.max(1);
        self
    }

    /// How long a worker that is to stop goes on with the jobs that it has begun: 30 seconds by
    /// default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long one question for new jobs waits at the server: 1 second by default. A worker that is
    /// to stop lets the question come to its end.
    pub fn block(mut self, block: Duration) -> Self {
        self.block = block;
        self
    }

    /// The longest delay between two attempts to reach the server: 5 seconds by default. The delays
    /// begin at 20 ms and double.
    pub fn back_off(mut self, max: Duration) -> Self {
        self.back_off = max;
        self
    }

    /// When jobs are acknowledged: after the work, unless this says otherwise.
    pub fn acknowledge(mut self, when: Acknowledge) -> Self {
        self.acknowledge = when;
        self
    }

    /// Calls `f` with everything that happens to the worker's jobs, and with its troubles: for a log,
    /// or for metrics.
    pub fn on_event(mut self, f: impl Fn(&JobEvent) + 'static) -> Self {
        self.on_event = Rc::new(f);
        self
    }

    /// Takes jobs and calls `work` with each, until `stop` is cancelled. Then it takes no more,
    /// finishes those that it has begun, and leaves the group. A server that does not answer may hold
    /// this up for some ten seconds.
    ///
    /// An `Ok` of `work` is acknowledged. An error or a panic is a failure of the job, not of the
    /// worker.
    ///
    /// Dropping the future is as the death of the worker: the work is dropped where it waits, and the
    /// jobs are delivered again when their leases have lapsed.
    ///
    /// # Errors
    ///
    /// If the server refuses the group at the beginning, for example because the password is wrong, or
    /// the name of the stream belongs to another kind of value. A server that cannot be reached is no error: the worker tries
    /// again, and tells [`JobEvent::Trouble`].
    ///
    /// # Panics
    ///
    /// Outside of a loop; and if the function of [`on_event`](Self::on_event) panics.
    pub async fn run<E>(
        &self,
        work: impl AsyncFn(Job) -> Result<(), E> + 'static,
        stop: &CancelToken,
    ) -> Result<Worked, RedisError>
    where
        E: fmt::Display + 'static,
    {
        Rc::new(Shift::new(self, work)).run(stop).await
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// The outcome of [`Worker::run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Worked {
    /// How many jobs it has done, with those that were no longer its own in the end.
    pub done: u64,
    /// How many jobs it had to drop, because they took longer than the [grace](Worker::grace).
    pub dropped: usize,
}
