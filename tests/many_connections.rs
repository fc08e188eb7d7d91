//! Ten thousand connections at once, in a process of its own, since they need its descriptors.
#![cfg(unix)]

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{TcpListener, TcpStream};
use coro::{spawn, timeout, yield_now};
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CONNECTIONS: usize = 10_000;
const ROUNDS: usize = 3;
/// Descriptors that are open besides the connections.
const OTHERS: u64 = 100;

/// As many connections as the limit of descriptors allows, after raising it to its maximum.
fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let descriptors = limit.maximum.unwrap_or(u64::MAX).saturating_sub(OTHERS);
    let connections = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
    connections.min(CONNECTIONS)
}

fn open_descriptors() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            len => stream.write_all(&buffer[..len]).await?,
        }
    }
}

async fn serve(listener: TcpListener, failed: Rc<Cell<usize>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let failed = failed.clone();
        spawn(async move {
            if echo(stream).await.is_err() {
                failed.set(failed.get() + 1);
            }
        });
    }
}

/// All rounds of a task. Returns the connection, so that it stays open until all are done.
async fn talk(number: usize, mut stream: TcpStream) -> io::Result<TcpStream> {
    for round in 0..ROUNDS {
        let message = format!("{number:8} {round:8}");
        stream.write_all(message.as_bytes()).await?;
        let mut back = vec![0; message.len()];
        stream.read_exact(&mut back).await?;
        assert_eq!(back, message.as_bytes());
    }
    Ok(stream)
}

#[test]
fn ten_thousand_connections_echo_and_none_is_lost() {
    let connections = connections();
    println!("{connections} connections");
    let before = open_descriptors();
    coro::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let failed = Rc::new(Cell::new(0));
        let server = spawn(serve(listener, failed.clone()));
        let mut clients = Vec::new();
        for number in 0..connections {
            let stream = TcpStream::connect(address).await.unwrap();
            clients.push(spawn(talk(number, stream)));
            if number % 100 == 0 {
                yield_now().await; // so that the listener's queue does not fill up
            }
        }
        let mut streams = Vec::new();
        for client in clients {
            let talked = timeout(Duration::from_secs(120), client).await;
            streams.push(talked.unwrap().unwrap().unwrap());
        }
        assert_eq!(streams.len(), connections);
        assert_eq!(failed.get(), 0);
        drop(streams);
        server.cancel();
    });
    assert_eq!(open_descriptors(), before);
}
