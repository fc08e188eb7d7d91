//! The cost of a message to a server: echoes over loopback, with the load on another core.

mod bare;
pub(super) mod load;
mod python;
pub(super) mod servers;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use crate::harness::{Bound, Case, Effort, Reading, Role, Sample, Suite};
use crate::machine;
use bare::Bare;
use load::{Load, OtherThread, connect_often};
use servers::{CoroProtocol, CoroReader, CoroStreams, Monoio, Server, Smol, Tokio};

const CPU: &str = "server CPU";
const WALL: &str = "wall";
const P99: &str = "round trip p99";

/// Adds a subject for each server that is a type; `$function` names the type `S`.
macro_rules! of_all {
    ($case:expr, $function:expr) => {
        of_all!($case, [Bare, CoroProtocol, CoroStreams, CoroReader, Tokio, Smol, Monoio], $function)
    };
    ($case:expr, [$($server:ident),*], $function:expr) => {
        $case$(.subject(<$server as Server>::NAME, <$server as Server>::ROLE, {
            type S = $server;
            $function
        }))*
    };
}

pub(crate) fn suite() -> Suite {
    Suite::new("net", "TCP over loopback; the load comes from another core")
        .rounds(3, 1)
        .minutes_max(3)
        .case(
            echo("64-byte echo, 1 connection", 1, 64, 50_000)
                .goal_for(CPU, Bound::Times(1.03, Bare::NAME)),
        )
        .case(echo("64-byte echo, 64 connections", 64, 64, 200_000))
        .case(echo("64-byte echo, 1,000 connections", 1000, 64, 200_000))
        .case(echo("64 KiB echo, 4 connections", 4, 64 * 1024, 10_000))
        .case(
            of_all!(Case::new("a connection, used once", Bare::NAME), |effort| {
                accepting::<S>(effort)
            })
            .goal_for(CPU, Bound::Times(1.05, Bare::NAME))
            .goal_for(WALL, Bound::AheadOfPeers(1.0)),
        )
        .case(
            of_all!(
                Case::new("an idle connection", CoroProtocol::NAME),
                |effort| idle::<S>(effort)
            )
            .goal(Bound::AtMost(1_000.0)),
        )
}

fn echo(name: &'static str, connections: usize, bytes: usize, messages: u64) -> Case {
    let load = move |effort: &Effort| Load {
        connections,
        bytes,
        messages: effort.count(messages),
        repeats: 5,
    };
    of_all!(Case::new(name, Bare::NAME), move |effort| {
        let load = load(effort);
        let large = bytes > 4096;
        against::<S, _>(effort, large, move |address| {
            load.echoes(address, &OtherThread)
        })
    })
    .subject("asyncio Protocol", Role::Peer, move |effort| {
        python::sample("asyncio", effort, load(effort))
    })
    .subject("uvloop Protocol", Role::Peer, move |effort| {
        python::sample("uvloop", effort, load(effort))
    })
    .goal_for(CPU, Bound::Times(1.02, Bare::NAME))
    .goal_for(P99, Bound::Times(1.0, Bare::NAME))
}

fn accepting<S: Server>(effort: &Effort) -> Sample {
    let connections = effort.count(5_000);
    against::<S, _>(effort, false, move |address| {
        connect_often(address, connections, 5, &OtherThread)
    })
}

/// The resident memory that connections add after they were used once. Their other ends are sockets
/// of the same process; without buffers in user space, they weigh nothing here.
fn idle<S: Server>(effort: &Effort) -> Sample {
    let connections = effort.count(5_000);
    against::<S, _>(effort, false, move |address| {
        let mut streams = Vec::with_capacity(connections as usize + 100);
        let mut open = |count: u64| -> io::Result<u64> {
            for _ in 0..count {
                let mut stream = TcpStream::connect(address)?;
                stream.write_all(b"x")?;
                stream.read_exact(&mut [0])?;
                streams.push(stream);
            }
            machine::resident_bytes().ok_or_else(|| io::Error::other("/proc says nothing"))
        };
        let before = open(100)?;
        let added = open(connections)?.saturating_sub(before);
        let bytes = added as f64 / connections as f64;
        Ok(vec![Reading::one("", "bytes", bytes)])
    })
}

/// Runs a server on this thread, with the load on another thread that is bound to its own core.
pub(super) fn against<S: Server, L>(effort: &Effort, large: bool, load: L) -> Sample
where
    L: FnOnce(SocketAddr) -> io::Result<Vec<Reading>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let stop = Arc::new(AtomicBool::new(false));
    let (stopping, core) = (stop.clone(), effort.other_core);
    let loading = thread::spawn(move || {
        machine::bind(core);
        let readings = load(address).map_err(|error| error.to_string());
        stopping.store(true, SeqCst);
        let _ = TcpStream::connect(address); // the server accepts this, then sees `stop`
        readings
    });
    S::serve(listener, stop, large)?;
    let readings = loading.join();
    readings.map_err(|_| "the load panicked".to_owned())?
}
