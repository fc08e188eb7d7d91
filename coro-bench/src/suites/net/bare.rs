//! The floor: an epoll loop with nothing around it.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};

use super::servers::{BUFFER, Server};
use crate::harness::Role;

/// Edge-triggered, with both directions registered once. A short read means that the socket is
/// drained.
pub(super) struct Bare;

const LISTENER: u64 = u64::MAX;

impl Server for Bare {
    const NAME: &'static str = "bare epoll";
    const ROLE: Role = Role::Floor;

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        serve(&listener, &stop).map_err(|error| error.to_string())
    }
}

fn serve(listener: &TcpListener, stop: &AtomicBool) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    let mut streams: Vec<Option<TcpStream>> = Vec::new();
    let mut events = Vec::with_capacity(512);
    let mut buffer = vec![0; BUFFER];
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                LISTENER if stop.load(SeqCst) => return Ok(()),
                LISTENER => streams.push(Some(accept(&epoll, listener, streams.len())?)),
                place => {
                    let stream = &mut streams[place as usize];
                    if stream
                        .as_mut()
                        .is_some_and(|stream| !echo(stream, &mut buffer))
                    {
                        *stream = None;
                    }
                }
            }
        }
    }
}

fn accept(epoll: &OwnedFd, listener: &TcpListener, place: usize) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept()?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
    epoll::add(epoll, &stream, EventData::new_u64(place as u64), flags)?;
    Ok(stream)
}

/// Whether the stream stays open.
fn echo(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    loop {
        let len = match stream.read(buffer) {
            Ok(0) => return false,
            Ok(len) => len,
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        };
        // The load sends a message only after the last echo, so the socket has room for this one.
        if stream.write_all(&buffer[..len]).is_err() {
            return false;
        }
        if len < buffer.len() {
            return true;
        }
    }
}
