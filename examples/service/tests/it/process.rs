//! `Service`: a process of the service that a test starts, and the processes that take its place.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use coro::sleep;

/// How long anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits until a condition holds, which another process brings about.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            sleep(ms(5)).await;
        }
    };
    coro::timeout(PATIENCE, wait).await.expect("in time");
}

/// A new directory for the files of a test.
pub(crate) fn directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let directory = env::temp_dir().join(format!("coro-service-{}-{number}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// A process of the service, in a process group with those that take its place.
pub(crate) struct Service {
    child: Child,
    directory: PathBuf,
}

impl Drop for Service {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &group]).stderr(Stdio::null());
        let _ = kill.status(); // fails if all have ended
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Service {
    /// A command for the service that opens its sockets itself.
    pub(crate) fn command(program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(["--public", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command
    }

    /// Starts the service with these further arguments, and waits until it serves.
    pub(crate) fn start(arguments: &[&str]) -> Service {
        let mut command = Self::command(env!("CARGO_BIN_EXE_service"));
        command.args(arguments);
        let service = Self::spawn(command);
        service.line("serving clients");
        service
    }

    /// Starts a command of the service.
    pub(crate) fn spawn(mut command: Command) -> Service {
        let directory = directory();
        let log = File::options()
            .create(true)
            .append(true)
            .open(directory.join("log"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command
            .stderr(log.unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        Service { child, directory }
    }

    /// Everything that the processes have written to standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap()
    }

    /// Waits for a line with this text, and gives it.
    pub(crate) fn line(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let whole = log.rfind('\n').map_or("", |end| &log[..end]);
            if let Some(line) = whole.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no line with {text:?} in {log}");
            thread::sleep(ms(5));
        }
    }

    /// The addresses for clients and for operators.
    pub(crate) fn addresses(&self) -> (SocketAddr, SocketAddr) {
        let line = self.line("serving clients");
        let (_, addresses) = line.split_once("clients at ").expect("the line has both");
        let (clients, operators) = addresses.split_once(", operators at ").expect("both");
        (clients.parse().unwrap(), operators.parse().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        send(signal, self.id());
    }

    /// Waits until the first process has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until(async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.expect("it has ended")
    }
}

/// Sends a signal to a process.
pub(crate) fn send(signal: &str, id: u32) {
    let sent = Command::new("kill")
        .args([signal, &id.to_string()])
        .status();
    assert!(sent.unwrap().success(), "kill {signal} {id}");
}
