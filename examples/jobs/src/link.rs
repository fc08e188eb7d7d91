//! `Link`: a connection to Redis that is made anew after it was lost.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use coro::compat::OnLoop;
use coro::net::TcpStream;
use coro::sync::Lock;
use coro::task::TaskHandle;
use coro::testing::rand;
use coro::{spawn, timeout};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisConnectionInfo, RedisError,
};

use crate::worker::Queue;

/// How long the server may take to answer, beside the time that a command waits on purpose.
const ANSWER: Duration = Duration::from_secs(5);

/// One connection, which many tasks may use at the same time. A command that waits at the server
/// holds up those behind it, so it has a link of its own.
pub(crate) struct Link {
    queue: Queue,
    current: RefCell<Option<Live>>,
    /// Held by the task that connects.
    connecting: Lock<()>,
    numbers: Cell<u64>,
}

struct Live {
    number: u64,
    connection: MultiplexedConnection,
    driver: TaskHandle,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.cancel();
    }
}

impl Link {
    pub(crate) fn new(queue: &Queue) -> Self {
        Link {
            queue: queue.clone(),
            current: RefCell::default(),
            connecting: Lock::new(()),
            numbers: Cell::new(0),
        }
    }

    /// Sends a command and gives its answer, which may take `wait` longer than others.
    ///
    /// If it fails without an answer of the server, the command may have been carried out or not.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        command: &Cmd,
        wait: Duration,
    ) -> Result<T, RedisError> {
        let (number, mut connection) = self.connected().await?;
        let answer = timeout(wait + ANSWER, command.query_async(&mut connection)).await;
        let answer = answer.unwrap_or_else(|_| Err(no_answer()));
        // An answer of the server, even an error, shows that the connection lives.
        let is_lost = |error: &RedisError| error.is_io_error() || error.is_unrecoverable_error();
        if answer.as_ref().is_err_and(is_lost) {
            self.lose(number);
        }
        answer
    }

    async fn connected(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let _turn = self.connecting.lock().await;
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let made = timeout(ANSWER, self.connect()).await;
        made.unwrap_or_else(|_| Err(no_answer()))
    }

    fn live(&self) -> Option<(u64, MultiplexedConnection)> {
        let current = self.current.borrow();
        let live = current.as_ref()?;
        Some((live.number, live.connection.clone()))
    }

    async fn connect(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let stream = TcpStream::connect(self.queue.address.as_str()).await?;
        stream.set_nodelay(true)?;
        // Its own time limit goes by tokio's clock, and ours by the loop's.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let mut info = RedisConnectionInfo::default();
        if let Some(password) = &self.queue.password {
            info = info.set_password(password.as_str());
        }
        let made = MultiplexedConnection::new_with_config(&info, OnLoop::new(stream), config);
        let (connection, driver) = made.await?;
        let driver = spawn(driver);
        driver.set_name("redis connection");
        self.numbers.set(self.numbers.get() + 1);
        let number = self.numbers.get();
        let live = Live {
            number,
            connection: connection.clone(),
            driver: driver.handle(),
        };
        let before = self.current.replace(Some(live));
        drop(before);
        Ok((number, connection))
    }

    /// Drops the connection with this number, unless another has taken its place.
    fn lose(&self, number: u64) {
        let lost = self
            .current
            .borrow_mut()
            .take_if(|live| live.number == number);
        drop(lost);
    }
}

fn no_answer() -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, "the server does not answer").into()
}

/// Delays that grow while the server is away.
#[derive(Debug)]
pub(crate) struct BackOff {
    next: Duration,
    max: Duration,
}

impl BackOff {
    const FIRST: Duration = Duration::from_millis(20);

    pub(crate) fn new(max: Duration) -> Self {
        BackOff {
            next: Self::FIRST.min(max),
            max,
        }
    }

    /// The next delay; a random half of it is taken away, so that workers which lost the server
    /// together do not come back together.
    pub(crate) fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.max);
        let half = u64::try_from(delay.as_micros() / 2).unwrap_or(u64::MAX);
        delay - Duration::from_micros(rand::below(half))
    }

    pub(crate) fn reset(&mut self) {
        self.next = Self::FIRST.min(self.max);
    }
}

/// Whether the server has answered with this code.
pub(crate) fn is_answer(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code)
}

/// Whether the server has refused, for a reason that waiting does not mend.
pub(crate) fn is_refusal(error: &RedisError) -> bool {
    let by_the_server = matches!(
        error.kind(),
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed
    );
    by_the_server
        && !["LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN"].contains(&error.code().unwrap_or(""))
}
