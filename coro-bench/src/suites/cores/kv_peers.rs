//! Key-value servers of the peers, which know the command SET alone.
//!
//! tokio's threads share the keys, behind locks, as its programs do. With monoio and glommio a key
//! lives on one thread, as in `sharded_kv`: the parts of a pipeline go there by an `async_channel`, and
//! each is confirmed by a oneshot.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;

use async_channel::{Receiver, Sender};
use futures::channel::oneshot;

use super::echo::{Serving, bind_some_port, listening};
use crate::runtimes::{Glommio, Monoio, Runtime};

const BUFFER: usize = 4 * 1024;

/// Keys with their values.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

type Map = HashMap<Vec<u8>, Vec<u8>>;

/// Takes the complete commands at the beginning of `received`.
fn take_sets(received: &mut Vec<u8>) -> io::Result<Pairs> {
    let (mut pairs, mut done) = (Vec::new(), 0);
    while let Some((pair, len)) = take_set(&received[done..])? {
        pairs.push(pair);
        done += len;
    }
    received.drain(..done);
    Ok(pairs)
}

type Taken<T> = io::Result<Option<(T, usize)>>;

fn take_set(bytes: &[u8]) -> Taken<(Vec<u8>, Vec<u8>)> {
    let Some((3, mut at)) = take_number(bytes, b'*')? else {
        return Ok(None);
    };
    let mut words = [const { Vec::new() }; 3];
    for word in &mut words {
        let Some((len, head)) = take_number(&bytes[at..], b'$')? else {
            return Ok(None);
        };
        let begin = at + head;
        at = begin + len + 2;
        let Some(found) = bytes.get(begin..at) else {
            return Ok(None);
        };
        *word = found[..len].to_vec();
    }
    let [name, key, value] = words;
    match name.eq_ignore_ascii_case(b"SET") {
        true => Ok(Some(((key, value), at))),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// A line with a number, and its length.
fn take_number(bytes: &[u8], kind: u8) -> Taken<usize> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\r') else {
        return Ok(None);
    };
    let number = bytes[..end].strip_prefix(&[kind]);
    let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let number = number.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some((number, end + 2)).filter(|(_, len)| *len <= bytes.len()))
}

fn home(key: &[u8], count: usize) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
    (hash % count as u64) as usize
}

fn answers(count: usize) -> Vec<u8> {
    b"+OK\r\n".repeat(count)
}

// ---- shared by threads ----

pub(super) fn tokio_workers(cores: usize) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(cores).enable_all().build()?;
    let maps: Arc<[Mutex<Map>]> = (0..16).map(|_| Mutex::default()).collect();
    drop(thread::spawn(move || {
        runtime.block_on(async move {
            drop(tokio::spawn(accept_by_tokio(listener, maps)).await); // on a worker, not on this thread
        });
    }));
    Ok(address)
}

async fn accept_by_tokio(listener: TcpListener, maps: Arc<[Mutex<Map>]>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        drop(tokio::spawn(serve_by_tokio(stream, maps.clone())));
    }
}

async fn serve_by_tokio(
    mut stream: tokio::net::TcpStream,
    maps: Arc<[Mutex<Map>]>,
) -> io::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(BUFFER);
    while stream.read_buf(&mut received).await? > 0 {
        let pairs = take_sets(&mut received)?;
        let count = pairs.len();
        for (key, value) in pairs {
            let map = &maps[home(&key, maps.len())];
            let mut map = map.lock().map_err(|_| io::ErrorKind::Other)?;
            map.insert(key, value);
        }
        stream.write_all(&answers(count)).await?;
    }
    Ok(())
}

// ---- a thread for each key ----

/// A part of a pipeline for another thread, with the sender of its confirmation.
type Part = (Pairs, oneshot::Sender<()>);

/// The keys of one thread, with the ways to the others.
#[derive(Clone)]
struct Shard {
    map: Rc<RefCell<Map>>,
    index: usize,
    others: Arc<[Sender<Part>]>,
}

impl Shard {
    /// Stores what other threads send.
    async fn serve(self, parts: Receiver<Part>) {
        while let Ok((pairs, confirm)) = parts.recv().await {
            self.map.borrow_mut().extend(pairs);
            let _ = confirm.send(()); // refused, the client has gone
        }
    }

    /// Stores each pair where its key lives.
    async fn store(&self, pairs: Pairs) -> io::Result<()> {
        let mut parts: Vec<Pairs> = self.others.iter().map(|_| Vec::new()).collect();
        for pair in pairs {
            parts[home(&pair.0, self.others.len())].push(pair);
        }
        self.map.borrow_mut().extend(parts[self.index].drain(..));
        let mut confirmations = Vec::new();
        for (part, other) in parts.into_iter().zip(&*self.others) {
            if !part.is_empty() {
                let (confirm, confirmed) = oneshot::channel();
                let sent = other.send((part, confirm)).await;
                sent.map_err(io::Error::other)?;
                confirmations.push(confirmed);
            }
        }
        for confirmed in confirmations {
            confirmed.await.map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Starts a thread for each core, which `run` takes over.
fn start_shards(
    cores: usize,
    run: fn(Shard, Receiver<Part>, SocketAddr, Serving),
) -> io::Result<SocketAddr> {
    let (port, address) = bind_some_port()?;
    let serving = Serving::default();
    let (others, parts): (Vec<_>, Vec<_>) = (0..cores).map(|_| async_channel::unbounded()).unzip();
    let others: Arc<[Sender<Part>]> = others.into();
    for (index, parts) in parts.into_iter().enumerate() {
        let (others, serving) = (others.clone(), serving.clone());
        drop(thread::spawn(move || {
            let map = Rc::default();
            run(Shard { map, index, others }, parts, address, serving);
        }));
    }
    serving.await_all(cores)?;
    drop(port);
    Ok(address)
}

pub(super) fn monoio_threads(cores: usize) -> io::Result<SocketAddr> {
    start_shards(cores, |shard, parts, address, serving| {
        drop(Monoio::run(accept_by_monoio(
            shard, parts, address, serving,
        )));
    })
}

async fn accept_by_monoio(
    shard: Shard,
    parts: Receiver<Part>,
    address: SocketAddr,
    serving: Serving,
) -> io::Result<()> {
    let listener = monoio::net::TcpListener::from_std(listening(address)?)?;
    drop(monoio::spawn(shard.clone().serve(parts)));
    serving.begin();
    loop {
        let (stream, _) = listener.accept().await?;
        drop(monoio::spawn(serve_by_monoio(stream, shard.clone())));
    }
}

async fn serve_by_monoio(mut stream: monoio::net::TcpStream, shard: Shard) -> io::Result<()> {
    use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
    stream.set_nodelay(true)?;
    let (mut received, mut bytes) = (Vec::new(), Vec::with_capacity(BUFFER));
    loop {
        let (read, filled) = stream.read(bytes).await;
        if read? == 0 {
            return Ok(());
        }
        received.extend_from_slice(&filled);
        bytes = filled;
        bytes.clear();
        let pairs = take_sets(&mut received)?;
        let count = pairs.len();
        shard.store(pairs).await?;
        stream.write_all(answers(count)).await.0?;
    }
}

pub(super) fn glommio_threads(cores: usize) -> io::Result<SocketAddr> {
    start_shards(cores, |shard, parts, address, serving| {
        drop(Glommio::run(accept_by_glommio(
            shard, parts, address, serving,
        )));
    })
}

async fn accept_by_glommio(
    shard: Shard,
    parts: Receiver<Part>,
    address: SocketAddr,
    serving: Serving,
) -> io::Result<()> {
    let listener = glommio::net::TcpListener::bind(address)?; // it shares its port by itself
    Glommio::detach(shard.clone().serve(parts));
    serving.begin();
    loop {
        let stream = listener.accept().await?;
        let shard = shard.clone();
        Glommio::detach(async move {
            let _ = serve_by_glommio(stream, shard).await; // the client has gone
        });
    }
}

async fn serve_by_glommio(mut stream: glommio::net::TcpStream, shard: Shard) -> io::Result<()> {
    use futures::{AsyncReadExt, AsyncWriteExt};
    stream.set_nodelay(true)?;
    let (mut received, mut bytes) = (Vec::new(), [0; BUFFER]);
    loop {
        let read = stream.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        received.extend_from_slice(&bytes[..read]);
        let pairs = take_sets(&mut received)?;
        let count = pairs.len();
        shard.store(pairs).await?;
        stream.write_all(&answers(count)).await?;
    }
}
