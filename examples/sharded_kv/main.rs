//! The key-value server of the example `kv` on several cores: each key lives on one of them.
//!
//! ```text
//! $ cargo run --example sharded_kv
//! 2 cores serve one port
//! a pipeline of 1000 SETs     1000 times +OK
//! a pipeline of 1000 GETs     1000 values, in order
//! DEL key:1 key:2 nothing     :2
//! DBSIZE                      :998
//! 2 clients, 1000 INCRs each  $4 2000
//! each core has some of the keys
//! ```
//!
//! This is a demonstration, in which the program is its own client. With an address it serves on all
//! cores until Ctrl-C:
//!
//! ```text
//! $ cargo run --release --example sharded_kv -- serve 127.0.0.1:6379
//! listening on 127.0.0.1:6379, until Ctrl-C
//! $ redis-benchmark -q -P 16 -t set,get
//! ```

#[path = "../kv/resp.rs"]
mod resp;
mod router;
#[path = "../support/service.rs"]
mod service;
#[path = "../kv/store.rs"]
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use coro::CancelToken;
use coro::cores::{Builder, Core, CoreError, SharedPort};
use coro::gather;
use coro::io::{AsyncReadExt, AsyncWriteExt};
use coro::net::{Server, StreamReader, TcpStream};
use resp::Reply;
use router::{Received, Router};

const CONNECTIONS_MAX: usize = 1000;
/// How many commands are executed together, and answered by one write.
const BATCH: usize = 64;

/// Serves on the present core.
fn start(port: &SharedPort, router: &Router, core: &Core) -> io::Result<Server> {
    let (router, stopping) = (router.clone(), core.shutdown());
    let settings = Server::builder().max_connections(CONNECTIONS_MAX);
    port.start_with(&settings, async move |stream, _| {
        answer_all(&router, stream, &stopping).await
    })
}

/// Answers the commands of one connection, in their order. A client may send any number of commands
/// before it reads. When the core is to stop, commands that were begun are still answered.
async fn answer_all(
    router: &Router,
    mut stream: TcpStream,
    stopping: &CancelToken,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut received, mut answers) = (Vec::new(), Vec::new());
    let mut chunk = vec![0; 16 * 1024];
    while !stopping.is_cancelled() {
        let (commands, done, error) = take_commands(&received);
        let quits = commands.last().is_some_and(|last| is_quit(&last.words));
        let is_idle = commands.is_empty();
        if !is_idle {
            router.run(&commands, &mut answers).await;
        }
        received.drain(..done);
        if let Some(error) = &error {
            error.write(&mut answers);
        }
        stream.write_all(&answers).await?;
        answers.clear();
        if quits || error.is_some() {
            return Ok(()); // after an error the start of the next command is unknown
        }
        if is_idle {
            let read = stopping.run_until_cancelled(stream.read(&mut chunk));
            match read.await.unwrap_or(Ok(0)) {
                Ok(0) => return Ok(()),
                Ok(read) => received.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The commands that were received completely, up to the limit of a batch, and their length in all; with
/// the answer to bytes that are no command.
fn take_commands(received: &[u8]) -> (Vec<Received<'_>>, usize, Option<Reply>) {
    let (mut commands, mut done) = (Vec::<Received<'_>>::new(), 0);
    let error = loop {
        if commands.len() == BATCH || commands.last().is_some_and(|last| is_quit(&last.words)) {
            break None;
        }
        match resp::parse(&received[done..]) {
            Ok(None) => break None,
            Ok(Some((words, len))) => {
                let bytes = &received[done..done + len];
                done += len;
                if !words.is_empty() {
                    commands.push(Received { words, bytes });
                }
            }
            Err(error) => break Some(Reply::Error(format!("ERR {error}"))),
        }
    };
    (commands, done, error)
}

fn is_quit(command: &resp::Command<'_>) -> bool {
    command[0].eq_ignore_ascii_case(b"QUIT")
}

/// Serves until Ctrl-C, on as many cores as there are.
fn serve_at(address: &str) -> Result<(), Box<dyn Error>> {
    let (port, router) = (SharedPort::bind(address)?, Router::default());
    let cut = Builder::new().run(async |core| {
        let server = start(&port, &router, &core)?;
        if core.index() == 0 {
            println!("listening on {}, until Ctrl-C", port.local_addr());
        }
        core.shutdown().cancelled().await;
        io::Result::Ok(server.shutdown(Duration::from_secs(10)).await)
    });
    let cut: usize = cut?.into_iter().sum();
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}

// ---- the demonstration ----

struct Client(StreamReader<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Client(StreamReader::new(
            TcpStream::connect(address).await?,
        )))
    }

    /// Sends all commands at once, and gives the answer to each.
    async fn ask(&mut self, commands: &[String]) -> io::Result<Vec<String>> {
        let sent = commands.concat();
        self.0.get_mut().write_all(sent.as_bytes()).await?;
        let mut answers = Vec::new();
        for _ in commands {
            answers.push(self.answer().await?);
        }
        Ok(answers)
    }

    async fn answer(&mut self) -> io::Result<String> {
        let mut answer = self.line().await?;
        if answer.starts_with('$') && answer != "$-1" {
            answer = format!("{answer} {}", self.line().await?);
        }
        Ok(answer)
    }

    async fn line(&mut self) -> io::Result<String> {
        let line = self.0.read_line().await?;
        line.map(str::to_owned)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn commands(times: usize, command: impl Fn(usize) -> String) -> Vec<String> {
    (1..=times).map(|n| command(n) + "\r\n").collect()
}

async fn show(address: SocketAddr) -> io::Result<()> {
    let mut client = Client::connect(address).await?;
    let set = client
        .ask(&commands(1000, |n| format!("SET key:{n} {n}")))
        .await?;
    let stored = set.iter().filter(|answer| *answer == "+OK").count();
    println!("a pipeline of 1000 SETs     {stored} times +OK");
    let got = client
        .ask(&commands(1000, |n| format!("GET key:{n}")))
        .await?;
    let is_right = |(n, answer): &(usize, &String)| answer.ends_with(&format!(" {n}"));
    let right = (1..).zip(&got).filter(is_right).count();
    println!("a pipeline of 1000 GETs     {right} values, in order");
    for command in ["DEL key:1 key:2 nothing", "DBSIZE"] {
        let answer = client.ask(&commands(1, |_| command.to_owned())).await?;
        println!("{command:<27} {}", answer[0]);
    }
    let count = async || {
        let mut client = Client::connect(address).await?;
        client
            .ask(&commands(1000, |_| "INCR counter".to_owned()))
            .await
    };
    let (one, other) = gather((count(), count())).await;
    one?;
    other?;
    let counter = client
        .ask(&commands(1, |_| "GET counter".to_owned()))
        .await?;
    println!("2 clients, 1000 INCRs each  {}", counter[0]);
    Ok(())
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let (port, router) = (SharedPort::bind("127.0.0.1:0")?, Router::default());
    let ran: Result<_, CoreError<io::Error>> = Builder::new().threads(2).run(async |core| {
        let server = start(&port, &router, &core)?;
        if core.index() == 0 {
            println!("{} cores serve one port", core.count());
            show(port.local_addr()).await?;
            if router.sizes().await.into_iter().all(|keys| keys > 0) {
                println!("each core has some of the keys");
            }
            core.shut_down("the demonstration is over");
        }
        core.shutdown().cancelled().await;
        server.shutdown(support::seconds(5.0)).await;
        Ok(())
    });
    ran?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    match service::addresses("the address to listen on") {
        Some([address]) => serve_at(&address),
        None => demonstrate(),
    }
}
