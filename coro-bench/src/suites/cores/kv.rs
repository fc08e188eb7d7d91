//! Key-value servers: the example `sharded_kv` beside Redis, in processes of their own, with peers.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::super::net::load::{Load, OtherThread, ServerTime};
use super::echo::Start;
use super::kv_peers;
use crate::harness::{Bound, Case, Effort, Role, Sample};
use crate::machine;

const SETS: usize = 16;

pub(super) fn case(name: &'static str, cores: usize) -> Case {
    let mut case = Case::new(name, "redis-server")
        .subject("coro, sharded_kv", Role::Coro, move |effort| {
            let (server, address) = sharded_kv(effort, cores)?;
            sample(effort, &server, address)
        })
        .subject("redis-server", Role::Peer, move |effort| {
            let (server, address) = redis()?;
            sample(effort, &server, address)
        });
    let peers: [(&str, Start); 3] = [
        ("tokio, multi-thread", kv_peers::tokio_workers),
        ("monoio, a thread a core", kv_peers::monoio_threads),
        ("glommio, a thread a core", kv_peers::glommio_threads),
    ];
    for (name, start) in peers {
        case = case.subject(name, Role::Peer, move |effort| {
            let address = start(cores).map_err(|error| error.to_string())?;
            sample(effort, &OtherThread, address)
        });
    }
    case.goal_for("server CPU", Bound::AheadOfPeers(1.0))
}

fn sample(effort: &Effort, server: &impl ServerTime, address: SocketAddr) -> Sample {
    let load = Load {
        connections: 64,
        bytes: 0,
        messages: effort.count(20_000),
        repeats: 5,
    };
    let set = |n| format!("*3\r\n$3\r\nSET\r\n$6\r\nkey:{n:02}\r\n$8\r\nabcdefgh\r\n");
    let message: String = (0..SETS).map(set).collect();
    let readings = load.run(address, server, message.as_bytes(), SETS * "+OK\r\n".len());
    readings.map_err(|error| error.to_string())
}

/// A server, until it is dropped.
struct Process(Child);

impl ServerTime for Process {
    /// The time of all its threads.
    fn used(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0.id()));
        let times = threads.into_iter().flatten().flatten().map(|thread| {
            let stat = fs::read_to_string(thread.path().join("schedstat"));
            let ns = stat.ok().and_then(|it| it.split(' ').next()?.parse().ok());
            Duration::from_nanos(ns.unwrap_or(0))
        });
        times.sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example, which serves on as many cores as it may use.
fn sharded_kv(effort: &Effort, cores: usize) -> Result<(Process, SocketAddr), String> {
    let program = example("sharded_kv")?;
    if cores == 1 {
        machine::bind(effort.core.or(machine::cores().last().copied()));
    }
    let child = Command::new(program)
        .args(["serve", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Process(child.map_err(|error| error.to_string())?);
    if cores == 1 {
        machine::bind(effort.other_core);
    }
    let out = server.0.stdout.take().expect("the output is piped");
    let mut line = String::new();
    let read = BufReader::new(out).read_line(&mut line);
    read.map_err(|error| error.to_string())?;
    let address = line.strip_prefix("listening on ");
    let address = address.and_then(|it| it.split(',').next()?.parse().ok());
    Ok((server, address.ok_or_else(|| format!("it said {line:?}"))?))
}

/// An example, which cargo puts beside this program.
fn example(name: &str) -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = this.with_file_name("examples").join(name);
    match path.exists() {
        true => Ok(path),
        false => Err(format!("build it: cargo build --release --example {name}")),
    }
}

fn redis() -> Result<(Process, SocketAddr), String> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    let address = port.map_err(|error| error.to_string())?; // free again once this line is over
    let child = Command::new("redis-server")
        .args(["--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn();
    let server = Process(child.map_err(|error| format!("no redis-server here: {error}"))?);
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return Ok((server, address));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(io::Error::from(io::ErrorKind::TimedOut).to_string())
}
