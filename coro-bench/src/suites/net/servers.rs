//! The servers that are compared: each sends back the bytes it receives.

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use coro::net::{Protocol, Transport};
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::harness::Role;
use crate::runtimes::{self, Runtime};

/// The size of a read, for servers with one buffer for all connections, or for large messages.
pub(super) const BUFFER: usize = 64 * 1024;
/// The size of a read of small messages, for servers with a buffer for each connection.
const BUFFER_OF_ONE: usize = 4 * 1024;

/// Serves on this thread until a client connects after `stop` was set.
pub(in crate::suites) trait Server: 'static {
    const NAME: &'static str;
    const ROLE: Role = Role::Peer;

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, large: bool) -> Result<(), String>;
}

/// The buffer of one connection.
fn buffer(large: bool) -> Vec<u8> {
    vec![0; if large { BUFFER } else { BUFFER_OF_ONE }]
}

fn text(error: io::Error) -> String {
    error.to_string()
}

pub(super) struct CoroStreams;

impl Server for CoroStreams {
    const NAME: &'static str = "coro streams";
    const ROLE: Role = Role::Coro;

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, large: bool) -> Result<(), String> {
        coro::run(async move {
            let listener = coro::net::TcpListener::from_std(listener).map_err(text)?;
            loop {
                let (mut stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                drop(coro::spawn(async move {
                    let mut buffer = buffer(large);
                    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                        if stream.write_all(&buffer[..len]).await.is_err() {
                            break;
                        }
                    }
                }));
            }
        })
    }
}

pub(super) struct CoroReader;

impl Server for CoroReader {
    const NAME: &'static str = "coro StreamReader";
    const ROLE: Role = Role::Coro;

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        coro::run(async move {
            let listener = coro::net::TcpListener::from_std(listener).map_err(text)?;
            loop {
                let (stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                drop(coro::spawn(async move {
                    let mut reader = coro::net::StreamReader::new(&stream);
                    while let Ok(bytes @ [_, ..]) = reader.fill_buf().await {
                        let len = bytes.len();
                        if (&stream).write_all(bytes).await.is_err() {
                            break;
                        }
                        reader.consume_unpin(len);
                    }
                }));
            }
        })
    }
}

pub(super) struct CoroProtocol;

/// Echoes, without a buffer of its own.
#[derive(Default)]
struct Echo(Option<Transport>);

impl Protocol for Echo {
    fn connection_made(&mut self, transport: &Transport) {
        self.0 = Some(transport.clone());
    }

    fn data_received(&mut self, data: &[u8]) {
        if let Some(transport) = &self.0 {
            transport.write(data);
        }
    }
}

impl Server for CoroProtocol {
    const NAME: &'static str = "coro Protocol";
    const ROLE: Role = Role::Coro;

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        coro::run(async move {
            let listener = coro::net::TcpListener::from_std(listener).map_err(text)?;
            let stopped = Rc::new(coro::sync::Event::new());
            let stopping = stopped.clone();
            let factory = move || {
                if stop.load(SeqCst) {
                    stopping.set();
                }
                Echo::default()
            };
            let _server = coro::net::create_server_on(factory, listener).map_err(text)?;
            stopped.wait().await;
            Ok(())
        })
    }
}

pub(super) struct Tokio;

impl Server for Tokio {
    const NAME: &'static str = "tokio LocalRuntime";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, large: bool) -> Result<(), String> {
        runtimes::TokioLocalRuntime::run(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            listener.set_nonblocking(true).map_err(text)?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(text)?;
            loop {
                let (mut stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                let _ = stream.set_nodelay(true);
                drop(tokio::task::spawn_local(async move {
                    let mut buffer = buffer(large);
                    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                        if stream.write_all(&buffer[..len]).await.is_err() {
                            break;
                        }
                    }
                }));
            }
        })?
    }
}

pub(super) struct Smol;

impl Server for Smol {
    const NAME: &'static str = "async-executor + async-io";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, large: bool) -> Result<(), String> {
        runtimes::Smol::run(async move {
            let listener = async_io::Async::new(listener).map_err(text)?;
            loop {
                let (mut stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                let _ = stream.get_ref().set_nodelay(true);
                runtimes::Smol::detach(async move {
                    let mut buffer = buffer(large);
                    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                        if stream.write_all(&buffer[..len]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        })?
    }
}

pub(super) struct Monoio;

impl Server for Monoio {
    const NAME: &'static str = "monoio";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, large: bool) -> Result<(), String> {
        runtimes::Monoio::run(async move {
            use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
            let listener = monoio::net::TcpListener::from_std(listener).map_err(text)?;
            loop {
                let (mut stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                let _ = stream.set_nodelay(true);
                drop(monoio::spawn(async move {
                    let mut bytes = buffer(large);
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
        })?
    }
}
