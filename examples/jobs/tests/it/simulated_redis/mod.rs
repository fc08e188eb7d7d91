//! A server of Redis's streams for simulations: as much of them as `jobs` uses.
//!
//! `answers` holds it against a real server. Its memory belongs to the test and outlives its host, as
//! that of a Redis that writes down everything before it answers.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use coro::io::{AsyncReadExt, AsyncWriteExt};
use coro::net::{TcpStream, start_server};
use coro::sync::Event;
use coro::timeout;

use resp::{Reply, parse};
pub(crate) use streams::Streams;

#[path = "../../../../kv/resp.rs"]
pub(crate) mod resp;
mod scripts;
mod streams;

/// The memory of a server, and the event that something was added.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) streams: RefCell<Streams>,
    added: RefCell<Rc<Event>>,
}

impl Memory {
    /// Carries out one command.
    pub(crate) fn run(&self, command: &[Vec<u8>]) -> Reply {
        let since_epoch = coro::time::system_now().duration_since(UNIX_EPOCH);
        let now = since_epoch.expect("the clock is past 1970").as_millis() as u64;
        let mut streams = self.streams.borrow_mut();
        let before = streams.added();
        let reply = streams.run(command, now);
        if streams.added() > before {
            let waited_for = self.added.replace(Rc::default());
            drop(streams);
            waited_for.set();
        }
        reply
    }

    /// The same, for a command that may wait.
    async fn run_blocking(&self, command: &[Vec<u8>]) -> Reply {
        let Some(block) = block_of(command) else {
            return self.run(command);
        };
        let wait = async {
            loop {
                let added = self.added.borrow().clone();
                match self.run(command) {
                    Reply::Nil => added.wait().await,
                    reply => return reply,
                }
            }
        };
        timeout(block, wait).await.unwrap_or(Reply::Nil)
    }
}

fn block_of(command: &[Vec<u8>]) -> Option<Duration> {
    let at = command.iter().position(|word| word == b"BLOCK")?;
    let millis = resp::number(command.get(at + 1)?)?;
    Some(Duration::from_millis(millis.unsigned_abs()))
}

/// Serves this memory at port 6379.
pub(crate) async fn serve(memory: Rc<Memory>) -> io::Result<()> {
    let server = start_server("0.0.0.0:6379", move |stream, _| {
        let memory = memory.clone();
        async move { answer(stream, &memory).await }
    })?;
    server.wait_closed().await;
    Ok(())
}

async fn answer(mut stream: TcpStream, memory: &Memory) -> io::Result<()> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some((command, length)) =
            parse(&received).map_err(|it| io::Error::other(it.to_string()))?
        {
            let command: Vec<_> = command.into_iter().map(<[u8]>::to_vec).collect();
            received.drain(..length);
            let mut answer = Vec::new();
            memory.run_blocking(&command).await.write(&mut answer);
            stream.write_all(&answer).await?;
        }
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => received.extend_from_slice(&buffer[..read]),
        }
    }
}
