//! The server of a counter, whose clients repeat their requests until they are answered.
//!
//! A request is a datagram of two bytes: the client, and the number of its request. The server
//! tells repeats by them, and answers with the same bytes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::net::UdpSocket;
use coro::sleep;
use coro::sync::Lock;

/// The time that the disk takes for a write.
const WRITE: Duration = Duration::from_millis(2);

/// The memory that a crash leaves as it is.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) value: Cell<u32>,
    done: RefCell<BTreeSet<[u8; 2]>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Design {
    /// Looks a request up, writes the value, then notes the request.
    Careless,
    /// Takes one request after another, and writes the value and the note at once.
    Sound,
}

pub(crate) async fn serve(design: Design, disk: Rc<Disk>) -> io::Result<()> {
    let socket = Rc::new(UdpSocket::bind("0.0.0.0:9")?);
    let one_at_a_time = Rc::new(Lock::new(()));
    loop {
        let mut request = [0; 2];
        let (_, client) = socket.recv_from(&mut request).await?;
        let (socket, disk, lock) = (socket.clone(), disk.clone(), one_at_a_time.clone());
        drop(coro::spawn(async move {
            match design {
                Design::Careless => count_carelessly(&disk, request).await,
                Design::Sound => {
                    let _turn = lock.lock().await;
                    count_soundly(&disk, request).await;
                }
            }
            answer(&socket, request, client).await;
        }));
    }
}

async fn count_carelessly(disk: &Disk, request: [u8; 2]) {
    if disk.done.borrow().contains(&request) {
        return;
    }
    sleep(WRITE).await; // a repeat that comes now is counted, too
    disk.value.set(disk.value.get() + 1);
    sleep(WRITE).await; // a crash here forgets that it was counted
    disk.done.borrow_mut().insert(request);
}

async fn count_soundly(disk: &Disk, request: [u8; 2]) {
    if !disk.done.borrow().contains(&request) {
        sleep(WRITE).await;
        disk.value.set(disk.value.get() + 1);
        disk.done.borrow_mut().insert(request);
    }
}

async fn answer(socket: &UdpSocket, request: [u8; 2], client: SocketAddr) {
    let _ = socket.send_to(&request, client).await; // one that is lost is asked for again
}
