//! `Shift`: a worker at work, from its first question to the end of its last job.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::group::GroupHandle;
use coro::sync::{OwnedPermit, Semaphore};
use coro::{CancelToken, TaskGroup, sleep, spawn, time, timeout};
use futures::FutureExt;
use redis::{Cmd, FromRedisValue, RedisError, Value};

use crate::commands::{Names, SUSPECT, entries_claimed, entries_read};
use crate::job::{Entry, Job, JobEvent};
use crate::link::{BackOff, Link, is_answer, is_refusal};
use crate::worker::{Acknowledge, Worked, Worker};

/// The beginning of the list of all jobs that workers hold.
const BEGINNING: &str = "0-0";

/// Everything that the tasks of a running worker share.
pub(crate) struct Shift<W> {
    worker: Worker,
    work: W,
    /// For the questions that wait at the server.
    waiting: Link,
    /// For everything else.
    link: Link,
    /// One permit for each job that it may work on.
    free: Rc<Semaphore>,
    /// The jobs that it works on, each with a token that is cancelled when its lease is lost.
    held: RefCell<BTreeMap<String, CancelToken>>,
    /// How many of them are suspected of ending their workers.
    suspects: Cell<usize>,
    /// When to ask for the jobs of others next.
    claim_due: Cell<Instant>,
    done: Cell<u64>,
}

impl<W, E> Shift<W>
where
    W: AsyncFn(Job) -> Result<(), E> + 'static,
    E: fmt::Display + 'static,
{
    pub(crate) fn new(worker: &Worker, work: W) -> Self {
        Shift {
            waiting: Link::new(&worker.queue),
            link: Link::new(&worker.queue),
            free: Rc::new(Semaphore::new(worker.concurrency)),
            held: RefCell::default(),
            suspects: Cell::new(0),
            claim_due: Cell::new(time::now()),
            done: Cell::new(0),
            worker: worker.clone(),
            work,
        }
    }

    pub(crate) async fn run(self: Rc<Self>, stop: &CancelToken) -> Result<Worked, RedisError> {
        let jobs = TaskGroup::new();
        let this = self.clone();
        let renewing = Renewing(spawn(async move { this.renew().await }));
        self.take_jobs(jobs.handle(), stop).await?;
        // When the time is up, the group is dropped, and the work that is left with it.
        let _ = timeout(self.worker.grace, jobs.join()).await;
        let dropped = self.held.borrow().len();
        drop(renewing);
        let leave = self.names().leave(&self.worker.name);
        let _ = self.ask::<Value>(&leave).await; // a name that stays on the list does no harm
        Ok(Worked {
            done: self.done.get(),
            dropped,
        })
    }

    fn names(&self) -> &Names {
        &self.worker.queue.names
    }

    fn tell(&self, event: &JobEvent) {
        (self.worker.on_event)(event);
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.link.ask(command, Duration::ZERO).await
    }

    /// Takes jobs, as many as there is room for, until it is to stop.
    async fn take_jobs(
        self: &Rc<Self>,
        group: &GroupHandle,
        stop: &CancelToken,
    ) -> Result<(), RedisError> {
        let mut back_off = BackOff::new(self.worker.back_off);
        let mut has_group = false;
        let mut place = BEGINNING.to_owned();
        loop {
            let free = self.free.clone().acquire_owned(1);
            let Ok(Ok(mut room)) = stop.run_until_cancelled(free).await else {
                return Ok(()); // it is to stop
            };
            if stop.is_cancelled() {
                return Ok(());
            }
            // From here on `stop` does not interrupt: an answer that is dropped on its way would leave
            // jobs to their leases.
            let taken = match has_group {
                true => self.take(&mut place).await,
                false => self.make_group().await.map(|()| Vec::new()),
            };
            match taken {
                Ok(entries) => {
                    has_group = true;
                    back_off.reset();
                    self.begin(group, &mut room, entries);
                }
                Err(error) if !has_group && is_refusal(&error) => return Err(error),
                Err(error) => {
                    // A server that has lost its memory has lost the group as well.
                    has_group &= !is_answer(&error, "NOGROUP");
                    let pause = back_off.delay();
                    self.tell(&JobEvent::Trouble(error.to_string(), pause));
                    let _ = stop.run_until_cancelled(sleep(pause)).await;
                }
            }
        }
    }

    async fn make_group(&self) -> Result<(), RedisError> {
        match self.ask::<Value>(&self.names().make_group()).await {
            Err(error) if is_answer(&error, "BUSYGROUP") => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// The jobs whose leases have lapsed, or else new ones; none after a while. `place` is where the
    /// walk through the list of all jobs that workers hold goes on.
    async fn take(&self, place: &mut String) -> Result<Vec<Entry>, RedisError> {
        let (names, worker) = (self.names(), &self.worker);
        let count = self.free.available_permits() + 1;
        if time::now() >= self.claim_due.get() {
            let most = (count, 1_usize.saturating_sub(self.suspects.get()));
            let claim = names.claim(&worker.name, worker.lease, place, most);
            let (next, entries) = entries_claimed(self.ask(&claim).await?)?;
            if next == BEGINNING {
                self.claim_due.set(time::now() + worker.lease / 2);
            }
            *place = next;
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        let until_claim = self.claim_due.get().saturating_duration_since(time::now());
        let block = worker.block.min(until_claim);
        let read = names.read(&worker.name, count, block);
        entries_read(self.waiting.ask(&read, block).await?)
    }

    /// Begins the work on entries, each with a permit of its own.
    fn begin(self: &Rc<Self>, group: &GroupHandle, room: &mut OwnedPermit, entries: Vec<Entry>) {
        for entry in entries {
            if self.held.borrow().contains_key(&entry.id) {
                continue; // its renewal came late, and it was claimed from this very worker
            }
            let permit = room.split(1);
            let permit = permit.or_else(|| self.free.clone().try_acquire_owned(1).ok());
            let token = CancelToken::new();
            self.held
                .borrow_mut()
                .insert(entry.id.clone(), token.clone());
            let this = self.clone();
            let name = format!("job {}", entry.id);
            let is_suspect = usize::from(entry.delivery >= SUSPECT);
            self.suspects.set(self.suspects.get() + is_suspect);
            let task = group.spawn(async move {
                let id = entry.id.clone();
                this.handle(entry, &token).await;
                this.held.borrow_mut().remove(&id);
                if is_suspect > 0 {
                    this.suspects.set(this.suspects.get() - is_suspect);
                    this.claim_due.set(time::now()); // the next suspect may wait for this
                }
                drop(permit);
            });
            task.expect("the group is open, as the function for events has not panicked")
                .set_name(name);
        }
    }

    async fn handle(&self, entry: Entry, lease: &CancelToken) {
        let most = self.worker.deliveries;
        let Some(job) = entry.to_job() else {
            return self.put_aside(&entry, "it has no field `payload`").await;
        };
        if entry.delivery > most {
            let reason = format!("none of {most} workers came to its end");
            return self.put_aside(&entry, &reason).await;
        }
        let acknowledge = self.names().acknowledge(&job.id);
        let is_before = self.worker.acknowledge == Acknowledge::BeforeTheWork;
        if is_before && self.ask_until_answered::<u32>(&acknowledge).await == 0 {
            return self.tell(&JobEvent::NotHeld(job)); // it may have been begun elsewhere
        }
        self.tell(&JobEvent::Begun(job.clone()));
        let working = AssertUnwindSafe((self.work)(job.clone())).catch_unwind();
        let Ok(outcome) = lease.run_until_cancelled(working).await else {
            return self.tell(&JobEvent::LeaseLost(job));
        };
        let failure = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(format!("it panicked: {}", text_of(&*panic))),
        };
        match failure {
            None if is_before => self.finish(job, 1),
            None => {
                let held = self.ask_until_answered(&acknowledge).await;
                self.finish(job, held);
            }
            Some(reason) if job.delivery >= most && !is_before => {
                self.tell(&JobEvent::Failed(job, reason.clone()));
                self.put_aside(&entry, &reason).await;
            }
            Some(reason) => self.tell(&JobEvent::Failed(job, reason)),
        }
    }

    fn finish(&self, job: Job, held: u32) {
        self.done.set(self.done.get() + 1);
        self.tell(&match held {
            0 => JobEvent::NotHeld(job),
            _ => JobEvent::Acknowledged(job),
        });
    }

    async fn put_aside(&self, entry: &Entry, reason: &str) {
        let command = self.names().put_aside(entry, reason);
        let held: u32 = self.ask_until_answered(&command).await;
        if held > 0 {
            self.tell(&JobEvent::PutAside {
                id: entry.id.clone(),
                reason: reason.to_owned(),
            });
        }
    }

    /// Sends a command that may be carried out twice, until there is an answer.
    async fn ask_until_answered<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let mut back_off = BackOff::new(self.worker.back_off);
        loop {
            match self.ask(command).await {
                Ok(answer) => return answer,
                Err(error) => {
                    let pause = back_off.delay();
                    self.tell(&JobEvent::Trouble(error.to_string(), pause));
                    sleep(pause).await;
                }
            }
        }
    }

    /// Renews the leases of the jobs that this worker works on, and ends the work on those that it has
    /// lost.
    async fn renew(&self) {
        let period = self.worker.lease / 3;
        let mut back_off = BackOff::new(period.min(self.worker.back_off));
        let mut pause = period;
        loop {
            sleep(pause).await;
            let held: Vec<String> = self.held.borrow().keys().cloned().collect();
            pause = period;
            if held.is_empty() || self.worker.acknowledge == Acknowledge::BeforeTheWork {
                continue;
            }
            let renew = self.names().renew(&self.worker.name, &held);
            match self.ask::<Vec<String>>(&renew).await {
                Ok(lost) => {
                    back_off.reset();
                    self.lose(&lost);
                }
                Err(error) => {
                    pause = back_off.delay();
                    self.tell(&JobEvent::Trouble(error.to_string(), pause));
                }
            }
        }
    }

    fn lose(&self, lost: &[String]) {
        for id in lost {
            let token = self.held.borrow().get(id).cloned();
            if let Some(token) = token {
                token.cancel("its lease has lapsed, and another worker has the job");
            }
        }
    }
}

/// The task that renews leases, which ends with its worker.
struct Renewing(coro::Task<()>);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("with a value that is no text")
}
