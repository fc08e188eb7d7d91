//! A `Host` of a simulation: a program with an address of its own.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;

use super::output::TestOutput;
use super::sim::Sim;
use crate::choices::TraceEvent;
use crate::event_loop::{LoopHandle, spawn};
use crate::machine::{HostNumber, Kernel};
use crate::task::{HOST, HostLife};

/// A host of a simulation: a program with an address, a loopback and ports of its own.
///
/// Made by [`Sim::host`]. Everything that its program spawns belongs to it, so
/// [`kill`](Self::kill) and [`power_off`](Self::power_off) end all of that at once. Memory that the
/// program shares with the test, such as an `Rc`, outlives it: it is a disk, as it were.
///
/// The test itself runs on a host called `test`. A clone is the same host; dropping it has no effect.
///
/// ```
/// use coro::net::{open_connection, start_server};
/// use coro::testing::{Sim, explore};
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use std::io;
///
/// async fn greeter() -> io::Result<()> {
///     let greet = |mut stream: coro::net::TcpStream, _| async move { stream.write_all(b"hello").await };
///     start_server("0.0.0.0:80", greet)?.wait_closed().await;
///     Ok(())
/// }
///
/// explore().seeds(10).run(async |sim: &Sim| -> io::Result<()> {
///     let host = sim.host("greeter", greeter);
///     coro::sleep(std::time::Duration::from_millis(1)).await;
///     let mut text = String::new();
///     open_connection("greeter", 80).await?.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     host.kill();
///     assert!(open_connection("greeter", 80).await.is_err());
///     Ok(())
/// });
/// ```
#[derive(Clone)]
pub struct Host(Rc<HostState>);

type Program = dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>;

struct HostState {
    sim: Sim,
    kernel: Rc<Kernel>,
    number: HostNumber,
    name: Rc<str>,
    program: Box<Program>,
    life: RefCell<HostLife>,
}

impl Sim {
    /// Adds a host with this name and a program, which starts at once: `main` is called, and the
    /// future is spawned as a task.
    ///
    /// Its address is the next of `10.0.0.0/16`; [`lookup_host`](crate::net::lookup_host), and all
    /// that connects to a name, finds it by its name. Bind its sockets to `0.0.0.0`, to its own
    /// address, or to `127.0.0.1`, which is each host's own.
    ///
    /// The test fails if the program panics, or if it ends with an error.
    ///
    /// # Panics
    ///
    /// If there is a host with this name.
    #[track_caller]
    pub fn host<F>(&self, name: &str, main: impl Fn() -> F + 'static) -> Host
    where
        F: Future<Output: TestOutput> + 'static,
    {
        let kernel = self.kernel();
        let Some(number) = kernel.add_host(name) else {
            panic!("two hosts of a simulation are called {name:?}: give each a name of its own");
        };
        let of_host: Rc<str> = name.into();
        let program = move || -> Pin<Box<dyn Future<Output = ()>>> {
            let (main, name) = (main(), of_host.clone());
            Box::pin(async move {
                if let Some(failure) = main.await.failure() {
                    panic!("the program of host {name:?} failed: {failure}");
                }
            })
        };
        let host = Host(Rc::new(HostState {
            sim: self.clone(),
            kernel,
            number,
            name: name.into(),
            program: Box::new(program),
            life: RefCell::new(HostLife::new(number)),
        }));
        host.start();
        host
    }

    pub(super) fn kernel(&self) -> Rc<Kernel> {
        self.0.world_as().expect("a simulation of a test has hosts")
    }
}

impl Host {
    fn start(&self) {
        let life = HostLife::new(self.0.number);
        let before = self.0.life.replace(life.clone());
        drop(before);
        self.0.kernel.start_host(self.0.number);
        let task = HOST.sync_scope(life, || spawn((self.0.program)()));
        task.handle().set_name(&*self.0.name);
    }

    /// The host's address.
    pub fn ip(&self) -> IpAddr {
        self.0.kernel.ip(self.0.number)
    }

    /// The host's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether its program runs: it was not killed, and its power is on. A program that has come to
    /// its end by itself still counts as running.
    pub fn is_running(&self) -> bool {
        !self.0.life.borrow().has_ended()
    }

    /// Runs a future as if it were of this host: its sockets are, and the tasks that it spawns.
    ///
    /// The future itself belongs to the caller, who polls it. It outlives a kill of the host, though
    /// its sockets do not.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> impl Future<Output = T> {
        let life = self.0.life.borrow().clone();
        HOST.scope(life, future)
    }

    /// Kills the host's program, as SIGKILL does: its tasks are dropped without being polled again,
    /// its callouts are not called, and its sockets are closed. So its peers see the end of each
    /// connection, or a reset if bytes were unread; the sockets are closed before the tasks are
    /// dropped, so a destructor can send no last words.
    ///
    /// A task that is running, because it kills its own host, is cancelled instead.
    pub fn kill(&self) {
        self.end("killed", |kernel, number| kernel.kill(number));
    }

    /// Cuts the host's power: as [`kill`](Self::kill), but its peers hear nothing. They find out
    /// when their packets stay unanswered, or are answered by a reset after the host has
    /// [started again](Self::restart).
    pub fn power_off(&self) {
        self.end("power off", |kernel, number| kernel.power_off(number));
    }

    /// Starts the host again: its program is called anew. A host that runs is killed first.
    pub fn restart(&self) {
        if self.is_running() {
            self.kill();
        }
        self.trace("started again");
        self.start();
    }

    fn end(&self, label: &str, end: impl FnOnce(&Kernel, HostNumber)) {
        if !self.is_running() {
            return;
        }
        self.trace(label);
        end(&self.0.kernel, self.0.number);
        let life = self.0.life.borrow().clone();
        LoopHandle::current().end_host(&life);
    }

    fn trace(&self, label: &str) {
        let now = LoopHandle::current().virtual_time().unwrap_or_default();
        let event = || TraceEvent::At {
            lane: self.0.name.clone(),
            label: label.into(),
        };
        let choices = self.0.sim.0.choices();
        choices.trace(now.as_nanos() as u64, event);
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.0.name)
            .field("ip", &self.ip())
            .field("is_running", &self.is_running())
            .finish()
    }
}
