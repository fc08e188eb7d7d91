//! Echo servers on several threads, which share one port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use coro::cores::{Builder, SharedPort};
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::super::net::load::{Load, OtherThread};
use crate::harness::{Bound, Case, Effort, Role, Sample};
use crate::runtimes::{Glommio, Monoio, Runtime};

/// The size of a read.
const BUFFER: usize = 4 * 1024;

/// Starts a server on this number of threads. It serves until the process of the sample ends.
pub(super) type Start = fn(usize) -> io::Result<SocketAddr>;

pub(super) fn case(name: &'static str, cores: usize) -> Case {
    let servers: [(&str, Role, Start); 4] = [
        ("coro", Role::Coro, coro_cores),
        ("tokio, multi-thread", Role::Peer, tokio_workers),
        ("monoio, a thread a core", Role::Peer, monoio_threads),
        ("glommio, a thread a core", Role::Peer, glommio_threads),
    ];
    let mut case = Case::new(name, "tokio, multi-thread");
    for (name, role, start) in servers {
        case = case.subject(name, role, move |effort| sample(effort, cores, start));
    }
    case.goal_for("server CPU", Bound::AheadOfPeers(1.0))
}

fn sample(effort: &Effort, cores: usize, start: Start) -> Sample {
    let load = Load {
        connections: 64,
        bytes: 64,
        messages: effort.count(200_000),
        repeats: 5,
    };
    let address = start(cores).map_err(|error| error.to_string())?;
    let readings = load.echoes(address, &OtherThread);
    readings.map_err(|error| error.to_string())
}

/// How many of the threads serve.
#[derive(Clone, Default)]
pub(super) struct Serving(Arc<AtomicUsize>);

impl Serving {
    pub(super) fn begin(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    pub(super) fn await_all(&self, threads: usize) -> io::Result<()> {
        for _ in 0..1000 {
            if self.0.load(SeqCst) == threads {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(io::Error::other("its threads did not start"))
    }
}

fn coro_cores(cores: usize) -> io::Result<SocketAddr> {
    let port = SharedPort::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = port.local_addr();
    let serving = Serving::default();
    let all = serving.clone();
    drop(thread::spawn(move || {
        Builder::new().threads(cores).run(async |_| {
            let server = port.start(async |mut stream: coro::net::TcpStream, _| {
                let mut buffer = [0; BUFFER];
                while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                    if stream.write_all(&buffer[..len]).await.is_err() {
                        break;
                    }
                }
            })?;
            serving.begin();
            server.serve_forever().await
        })
    }));
    all.await_all(cores)?;
    Ok(address)
}

fn tokio_workers(cores: usize) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(cores).enable_all().build()?;
    drop(thread::spawn(move || {
        runtime.block_on(async move {
            let serving = tokio::spawn(accept_by_tokio(listener));
            drop(serving.await); // on a worker, not on this thread
        });
    }));
    Ok(address)
}

async fn accept_by_tokio(listener: TcpListener) -> io::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(tokio::spawn(async move {
            let mut buffer = [0; BUFFER];
            while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..len]).await.is_err() {
                    break;
                }
            }
        }));
    }
}

/// A socket that is bound to a port which others may share.
fn bound(address: SocketAddr) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    Ok(socket)
}

pub(super) fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound(address)?;
    rustix::net::listen(&socket, 1024)?;
    Ok(TcpListener::from(socket))
}

/// A port that is bound, with the socket that keeps it.
pub(super) fn bind_some_port() -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpListener::from(bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?);
    let address = socket.local_addr()?;
    Ok((socket, address))
}

fn monoio_threads(cores: usize) -> io::Result<SocketAddr> {
    let (_port, address) = bind_some_port()?;
    for _ in 0..cores {
        let listener = listening(address)?;
        drop(thread::spawn(|| Monoio::run(accept_by_monoio(listener))));
    }
    Ok(address)
}

async fn accept_by_monoio(listener: TcpListener) -> io::Result<()> {
    use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
    let listener = monoio::net::TcpListener::from_std(listener)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(monoio::spawn(async move {
            let mut bytes = vec![0; BUFFER];
            loop {
                let (read, filled) = stream.read(bytes).await;
                let Ok(1..) = read else { break };
                let (written, emptied) = stream.write_all(filled).await;
                if written.is_err() {
                    break;
                }
                bytes = emptied;
                bytes.clear();
            }
        }));
    }
}

fn glommio_threads(cores: usize) -> io::Result<SocketAddr> {
    let (port, address) = bind_some_port()?;
    let serving = Serving::default();
    for _ in 0..cores {
        let serving = serving.clone();
        drop(thread::spawn(move || {
            Glommio::run(accept_by_glommio(address, serving))
        }));
    }
    serving.await_all(cores)?;
    drop(port);
    Ok(address)
}

async fn accept_by_glommio(address: SocketAddr, serving: Serving) -> io::Result<()> {
    let listener = glommio::net::TcpListener::bind(address)?; // it shares its port by itself
    serving.begin();
    loop {
        let mut stream = listener.accept().await?;
        stream.set_nodelay(true)?;
        Glommio::detach(async move {
            let mut buffer = [0; BUFFER];
            while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..len]).await.is_err() {
                    break;
                }
            }
        });
    }
}
