//! The load: the clients that connect to every server, with the measurement of their messages.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;

use crate::harness::Reading;
use crate::machine::{cpu_time, thread_time};

/// The messages of a run. A connection has at most one on the way.
#[derive(Clone, Copy)]
pub(in crate::suites) struct Load {
    pub(in crate::suites) connections: usize,
    pub(in crate::suites) bytes: usize,
    pub(in crate::suites) messages: u64,
    pub(in crate::suites) repeats: usize,
}

/// The processor time of a server, as this thread sees it.
pub(in crate::suites) trait ServerTime {
    fn used(&self) -> Duration;
}

/// A server on another thread of this process: it used all CPU time that this thread did not use.
pub(in crate::suites) struct OtherThread;

impl ServerTime for OtherThread {
    fn used(&self) -> Duration {
        let load = thread_time(); // first, so that it is a part of the time of all
        cpu_time() - load
    }
}

/// One connection, with the number of bytes that its answer still lacks.
struct Client {
    stream: TcpStream,
    missing: usize,
    sent: Instant,
}

impl Load {
    /// Connects, then exchanges all messages for their echoes, in several repeats.
    pub(in crate::suites) fn echoes(
        &self,
        address: SocketAddr,
        server: &impl ServerTime,
    ) -> io::Result<Vec<Reading>> {
        let message = vec![b'x'; self.bytes];
        self.run(address, server, &message, self.bytes)
    }

    /// Connects, then exchanges all messages for answers of this length, in several repeats.
    pub(in crate::suites) fn run(
        &self,
        address: SocketAddr,
        server: &impl ServerTime,
        message: &[u8],
        answer: usize,
    ) -> io::Result<Vec<Reading>> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut clients = Vec::with_capacity(self.connections);
        for number in 0..self.connections {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, &stream, data, epoll::EventFlags::IN)?;
            clients.push(Client {
                stream,
                missing: 0,
                sent: Instant::now(),
            });
        }
        let (mut cpu, mut wall) = (Vec::new(), Vec::new());
        let (mut medians, mut tails) = (Vec::new(), Vec::new());
        for repeat in 0..=self.repeats {
            let (begin, used) = (Instant::now(), server.used());
            let mut latencies = self.exchange(&epoll, &mut clients, message, answer)?;
            if repeat > 0 {
                let messages = self.messages as f64;
                cpu.push(server.used().saturating_sub(used).as_nanos() as f64 / messages);
                wall.push(begin.elapsed().as_nanos() as f64 / messages);
                latencies.sort_unstable();
                let at = |part: f64| f64::from(latencies[(latencies.len() as f64 * part) as usize]);
                medians.push(at(0.5) / 1000.0);
                tails.push(at(0.99) / 1000.0);
            }
        }
        Ok(vec![
            Reading::new("server CPU", "ns", cpu),
            Reading::new("wall, a message", "ns", wall),
            Reading::new("round trip p50", "µs", medians),
            Reading::new("round trip p99", "µs", tails),
        ])
    }

    fn exchange(
        &self,
        epoll: &impl std::os::fd::AsFd,
        clients: &mut [Client],
        message: &[u8],
        answer: usize,
    ) -> io::Result<Vec<u32>> {
        let mut latencies = Vec::with_capacity(self.messages as usize);
        let mut to_send = self.messages;
        for client in clients.iter_mut() {
            to_send -= u64::from(to_send > 0);
            client.send(message, answer)?;
        }
        let mut events = Vec::with_capacity(512);
        let mut buffer = vec![0; 256 * 1024];
        while latencies.len() < self.messages as usize {
            events.clear();
            epoll::wait(epoll, spare_capacity(&mut events), None)?;
            for event in &events {
                let client = &mut clients[event.data.u64() as usize];
                if client.receive(&mut buffer)? {
                    latencies.push(client.sent.elapsed().as_nanos() as u32);
                    if to_send > 0 {
                        to_send -= 1;
                        client.send(message, answer)?;
                    }
                }
            }
        }
        Ok(latencies)
    }
}

impl Client {
    fn send(&mut self, message: &[u8], answer: usize) -> io::Result<()> {
        self.sent = Instant::now();
        self.missing = answer;
        let mut rest = message;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(len) => rest = &rest[len..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the answer is complete.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match self.stream.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => {
                self.missing -= len;
                Ok(self.missing == 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Connects and resets, repeatedly: the cost of a connection to the server.
pub(in crate::suites) fn connect_often(
    address: SocketAddr,
    connections: u64,
    repeats: usize,
    server: &impl ServerTime,
) -> io::Result<Vec<Reading>> {
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for repeat in 0..=repeats {
        let (begin, used) = (Instant::now(), server.used());
        for _ in 0..connections {
            let mut stream = TcpStream::connect(address)?;
            stream.write_all(b"x")?;
            stream.read_exact(&mut [0])?;
            // A reset leaves no port in `TIME_WAIT`.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        }
        if repeat > 0 {
            cpu.push(server.used().saturating_sub(used).as_nanos() as f64 / connections as f64);
            wall.push(begin.elapsed().as_nanos() as f64 / connections as f64);
        }
    }
    Ok(vec![
        Reading::new("server CPU", "ns", cpu),
        Reading::new("wall", "ns", wall),
    ])
}
