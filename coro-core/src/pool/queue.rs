//! The queue of a pool: jobs, workers, their states.
//!
//! One lock protects all of it. A worker is in one of three states: it *looks* for a job, it *runs*
//! one, or it *sleeps*. A sleeper that is taken off the list of sleepers and unparked looks again.
//! While one worker looks, no other is woken. When it finds a job and more jobs are queued, it
//! wakes or starts another worker before it runs its own job. So a batch of jobs wakes one worker
//! at once and the others one by one, no faster than they find jobs, and a job that blocks delays
//! no other.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{JoinHandle, Thread};

use super::job::{Job, Run};

/// The queue is not searched for cancelled jobs before it has this many jobs.
const DEAD_MIN: usize = 64;

pub(super) struct JobQueue {
    jobs: VecDeque<Job>,
    /// When the queue has this many jobs, the cancelled ones are taken out.
    sweep_at: usize,
    pub(super) workers: Vec<Worker>,
    /// Last in, first out, so that surplus workers reach their idle timeout.
    sleepers: Vec<usize>,
    looking: usize,
    last_id: usize,
    phase: PoolPhase,
}

pub(super) struct Worker {
    pub(super) id: usize,
    pub(super) thread: JoinHandle<()>,
    pub(super) running: Option<Arc<dyn Run>>,
    pub(super) has_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PoolPhase {
    Open,
    /// No more jobs are added; the queued jobs are still run.
    Retired,
    Closed,
}

/// The next action of a worker.
pub(super) enum NextJob {
    Run(Arc<dyn Run>, Option<Thread>),
    Sleep,
    End,
}

/// Starts a thread for the worker of an id.
pub(super) type Start<'a> = &'a dyn Fn(usize) -> io::Result<JoinHandle<()>>;

impl JobQueue {
    #[inline]
    pub(super) fn new() -> Self {
        JobQueue {
            jobs: VecDeque::new(),
            sweep_at: DEAD_MIN,
            workers: Vec::new(),
            sleepers: Vec::new(),
            looking: 0,
            last_id: 0,
            phase: PoolPhase::Open,
        }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.phase == PoolPhase::Open
    }

    #[inline]
    pub(super) fn push(&mut self, job: Job) {
        self.jobs.push_back(job);
    }

    /// If the queue has grown enough, takes out the jobs that were cancelled while queued.
    #[inline]
    pub(super) fn sweep(&mut self) -> VecDeque<Job> {
        if self.jobs.len() < self.sweep_at {
            return VecDeque::new();
        }
        let mut dead = VecDeque::new();
        for _ in 0..self.jobs.len() {
            match self.jobs.pop_front() {
                Some(job) if job.is_queued() => self.jobs.push_back(job),
                Some(job) => dead.push_back(job),
                None => break,
            }
        }
        self.sweep_at = DEAD_MIN.max(2 * self.jobs.len());
        dead
    }

    /// Makes sure that a worker looks for jobs if there are any. Gives the thread to unpark for
    /// that.
    ///
    /// # Errors
    ///
    /// If a new thread was needed and could not be started. Existing workers serve the jobs later.
    #[inline]
    pub(super) fn reinforce(
        &mut self,
        threads_max: usize,
        start: Start<'_>,
    ) -> io::Result<Option<Thread>> {
        if self.looking > 0 || self.jobs.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.sleepers.pop() {
            self.looking += 1;
            return Ok(self.worker(id).map(|worker| worker.thread.thread().clone()));
        }
        if self.workers.len() < threads_max {
            self.last_id += 1;
            let thread = start(self.last_id)?;
            self.workers.push(Worker {
                id: self.last_id,
                thread,
                running: None,
                has_ended: false,
            });
            self.looking += 1;
        }
        Ok(None)
    }

    /// The next action of a worker that looks, or that has just run a job.
    #[inline]
    pub(super) fn next(&mut self, id: usize, threads_max: usize, start: Start<'_>) -> NextJob {
        if let Some(worker) = self.worker(id)
            && worker.running.take().is_some()
        {
            self.looking += 1;
        }
        self.looking -= 1;
        while let Some(job) = self.jobs.pop_front() {
            let Some(job) = job.into_run() else { continue };
            if let Some(worker) = self.worker(id) {
                worker.running = Some(job.clone());
            }
            // If no other worker can be started, this one takes the next job after its own.
            let wake = self.reinforce(threads_max, start).unwrap_or_default();
            return NextJob::Run(job, wake);
        }
        if self.phase == PoolPhase::Open {
            self.sleepers.push(id);
            return NextJob::Sleep;
        }
        self.end(id);
        NextJob::End
    }

    /// After a worker woke up: whether it was asked to look for jobs.
    #[inline]
    pub(super) fn is_asked(&self, id: usize) -> bool {
        !self.sleepers.contains(&id)
    }

    /// A worker reached its idle timeout: its thread is to end, unless it was asked to look
    /// meanwhile.
    #[inline]
    pub(super) fn give_up(&mut self, id: usize) -> bool {
        let sleeps = !self.is_asked(id);
        if sleeps {
            self.sleepers.retain(|&sleeper| sleeper != id);
            self.end(id);
        }
        sleeps
    }

    /// The threads of an open or retired pool are not joined, so their workers are removed; a
    /// closed pool's `join` needs to know which have ended.
    #[inline]
    fn end(&mut self, id: usize) {
        match self.phase {
            PoolPhase::Open | PoolPhase::Retired => self.workers.retain(|worker| worker.id != id),
            PoolPhase::Closed => {
                if let Some(worker) = self.worker(id) {
                    worker.has_ended = true;
                }
            }
        }
    }

    #[inline]
    fn worker(&mut self, id: usize) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.id == id)
    }

    /// Accepts no more jobs. Gives the sleeping threads, to be unparked so that they end.
    #[inline]
    pub(super) fn retire(&mut self) -> Vec<Thread> {
        if self.phase == PoolPhase::Open {
            self.phase = PoolPhase::Retired;
        }
        let sleepers = std::mem::take(&mut self.sleepers);
        self.looking += sleepers.len();
        let asleep = self.workers.iter().filter(|w| sleepers.contains(&w.id));
        asleep
            .map(|worker| worker.thread.thread().clone())
            .collect()
    }

    /// Accepts and runs no more jobs. Gives the jobs that were queued.
    #[inline]
    pub(super) fn close(&mut self) -> VecDeque<Job> {
        self.phase = PoolPhase::Closed;
        self.take_jobs()
    }

    #[inline]
    pub(super) fn take_jobs(&mut self) -> VecDeque<Job> {
        std::mem::take(&mut self.jobs)
    }
}
