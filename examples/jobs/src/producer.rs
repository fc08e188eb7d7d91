//! `Producer`: adds jobs to a queue, and tells how many there are.

use std::time::Duration;

use redis::{RedisError, Value, cmd};

use crate::link::Link;
use crate::worker::Queue;

/// Adds jobs to a queue; tasks may share it.
pub struct Producer {
    queue: Queue,
    link: Link,
}

/// How many jobs a queue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Backlog {
    /// Those that are not done, with those that workers are at.
    pub unfinished: u64,
    /// Those that were delivered to workers, and are not done.
    pub held: u64,
    /// Those that were put aside.
    pub dead: u64,
}

impl Producer {
    /// A producer, which connects when it is first used, and again after the connection was lost.
    pub fn new(queue: &Queue) -> Self {
        Producer {
            link: Link::new(queue),
            queue: queue.clone(),
        }
    }

    /// Adds a job, and gives the number of its entry.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or refuses. If the connection was lost on the way, the job may
    /// have been added all the same: [`push_once`](Self::push_once) may be repeated.
    pub async fn push(&self, payload: impl AsRef<[u8]>) -> Result<String, RedisError> {
        let command = self.queue.names.push(payload.as_ref());
        self.link.ask(&command, Duration::ZERO).await
    }

    /// Adds a job, unless one with the same token was added within the time `remember`; then it gives
    /// `None`. So it may be repeated until there is an answer.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or refuses.
    pub async fn push_once(
        &self,
        token: &str,
        remember: Duration,
        payload: impl AsRef<[u8]>,
    ) -> Result<Option<String>, RedisError> {
        let names = &self.queue.names;
        let command = names.push_once(token, remember, payload.as_ref());
        self.link.ask(&command, Duration::ZERO).await
    }

    /// How many jobs there are.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or refuses.
    pub async fn backlog(&self) -> Result<Backlog, RedisError> {
        let names = &self.queue.names;
        let mut held = cmd("XPENDING");
        held.arg(&names.stream).arg(&names.group);
        let held = match self
            .link
            .ask::<(u64, Value, Value, Value)>(&held, Duration::ZERO)
            .await
        {
            Err(error) if error.code() == Some("NOGROUP") => 0, // no worker has been there yet
            answer => answer?.0,
        };
        Ok(Backlog {
            unfinished: self.length(&names.stream).await?,
            held,
            dead: self.length(&names.dead).await?,
        })
    }

    async fn length(&self, stream: &str) -> Result<u64, RedisError> {
        let mut length = cmd("XLEN");
        length.arg(stream);
        self.link.ask(&length, Duration::ZERO).await
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
