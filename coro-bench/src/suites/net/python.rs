//! The original: the protocols of asyncio or uvloop, in a process of Python.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::load::{Load, ServerTime};
use crate::harness::{Effort, Sample};
use crate::machine;

const SERVER: &str = r#"
import asyncio, os, sys
if sys.argv[1] == "uvloop":
    import uvloop
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
os.sched_setaffinity(0, [int(sys.argv[2])])

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(data)

async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// A server in another process, until it is dropped.
struct Python(Child);

impl ServerTime for Python {
    fn used(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.0.id());
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        let ns = stat.split(' ').next().and_then(|ns| ns.parse().ok());
        Duration::from_nanos(ns.unwrap_or(0))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures one of Python's loops; `which` is `asyncio` or `uvloop`.
pub(super) fn sample(which: &str, effort: &Effort, load: Load) -> Sample {
    let core = effort.core.unwrap_or(0).to_string();
    let child = Command::new("python3")
        .args(["-c", SERVER, which, &core])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut python = Python(child.map_err(|error| format!("no python3 here: {error}"))?);
    let out = python.0.stdout.take().expect("the output is piped");
    let mut line = String::new();
    let read = BufReader::new(out).read_line(&mut line);
    read.map_err(|error| error.to_string())?;
    let port: u16 = match line.trim().parse() {
        Ok(port) => port,
        Err(_) => return Err(format!("python3 has no {which}")),
    };
    machine::bind(effort.other_core);
    load.echoes(SocketAddr::from(([127, 0, 0, 1], port)), &python)
        .map_err(|error| error.to_string())
}
