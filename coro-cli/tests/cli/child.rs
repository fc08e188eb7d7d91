//! The process that is looked at: a copy of this test program, stripped.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A folder that is removed in the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("coro-cli-{}-{count}", process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child that plays a part.
pub(crate) struct Child {
    child: process::Child,
    _folder: Folder,
}

impl Child {
    pub(crate) fn start(part: &str, line: &str) -> Self {
        Child::start_with(part, line, |_| ())
    }

    /// Starts a child from a program whose bytes were changed.
    pub(crate) fn start_changed(part: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        Child::start_with(part, "", change)
    }

    /// Starts a child with `CORO_DEBUG=1`.
    pub(crate) fn start_debugged(part: &str) -> Self {
        let folder = Folder::new();
        let mut command = Command::new(env::current_exe().unwrap());
        command.env("CORO_DEBUG", "1");
        Child::spawn(command, part, "", folder)
    }

    fn start_with(part: &str, line: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let folder = Folder::new();
        let program = folder.path().join("stripped");
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        match Command::new("strip").arg(&program).status() {
            Ok(status) => assert!(status.success()),
            Err(error) => println!("not stripped, as `strip` cannot be run: {error}"),
        }
        let mut bytes = fs::read(&program).unwrap();
        change(&mut bytes);
        fs::write(&program, bytes).unwrap();
        Child::spawn(Command::new(&program), part, line, folder)
    }

    fn spawn(mut command: Command, part: &str, line: &str, folder: Folder) -> Self {
        command
            .args(["the_child", "--exact", "--ignored", "--nocapture"])
            .env("PART", part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = when_written(|| command.spawn());
        writeln!(child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.ends_with("ready\n") {
            let read = output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the child ended: {line}");
        }
        Child {
            child,
            _folder: folder,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The first lines of standard error that are of interest.
    pub(crate) fn error_lines(&mut self, count: usize, wanted: fn(&str) -> bool) -> Vec<String> {
        let lines = BufReader::new(self.child.stderr.take().unwrap()).lines();
        let lines = lines.map(Result::unwrap).filter(|line| wanted(line));
        lines.take(count).collect()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as a debugger or a shell does, and waits until it stands still.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        let stat = format!("/proc/{}/stat", self.id());
        while !fs::read_to_string(&stat).unwrap().contains(") T") {
            std::thread::yield_now();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program that was just written: a child that another test was starting meanwhile may
/// still have the file open for writing.
pub(crate) fn when_written<T>(mut start: impl FnMut() -> io::Result<T>) -> T {
    loop {
        match start() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}

/// Standard output and standard error of `coro`.
pub(crate) fn coro(arguments: &[&str]) -> (String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_coro"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(run.stdout), text(run.stderr))
}

pub(crate) fn ps(id: u32) -> String {
    let (listing, error) = coro(&["ps", &id.to_string()]);
    assert_eq!(error, "");
    listing
}

pub(crate) fn says(arguments: &[&str], expected: &str) {
    let (listing, error) = coro(arguments);
    assert!(error.contains(expected), "{error}");
    assert_eq!(listing, "");
}

/// The child's own side: plays the part and never returns.
pub(crate) fn play() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    match env::var("PART").as_deref() {
        Ok("many") => coro::run(many(line.trim_end())),
        Ok("stuck") => coro::run(stuck()),
        Ok("loops") => loops(),
        Ok("busy") => coro::run(busy()),
        Ok("open") => open(line.trim_end()),
        Ok("open and stuck") => open_loop().run_until_complete(stuck()).unwrap(),
        Ok("family") => coro::run(family()),
        other => panic!("{other:?}"),
    }
}

/// A wait that does not end while the process is looked at.
async fn hours() {
    coro::sleep(Duration::from_secs(36_000)).await;
}

fn ready() {
    println!("ready");
}

async fn many(name: &str) {
    coro::spawn(hours()).set_name(name);
    for _ in 0..10_000 {
        coro::spawn(hours());
    }
    coro::call_later(Duration::from_millis(10), ready);
    hours().await
}

async fn stuck() {
    let others: Vec<_> = (0..3).map(|_| coro::spawn(hours())).collect();
    coro::yield_now().await;
    let stuck = coro::spawn(async move {
        others[1].cancel();
        coro::spawn(async {});
        ready();
        loop {
            std::hint::spin_loop();
        }
    });
    stuck.set_name("the stuck one");
    stuck.await.unwrap()
}

fn loops() {
    let (send, started) = std::sync::mpsc::channel();
    for tasks in [1, 2] {
        let send = send.clone();
        std::thread::spawn(move || {
            coro::run(async {
                for _ in 0..tasks {
                    coro::spawn(hours()).set_name("second");
                }
                coro::call_later(Duration::from_millis(10), move || send.send(()).unwrap());
                hours().await
            })
        });
    }
    std::thread::spawn(|| coro::run(async {})).join().unwrap();
    started.iter().take(2).for_each(drop);
    ready();
    loop {
        std::thread::park();
    }
}

async fn busy() {
    let spawner = coro::spawn(async {
        loop {
            for count in 0..100 {
                let task = coro::spawn(coro::yield_now());
                if count % 3 == 0 {
                    task.set_name("short-lived, with a name that has to be allocated");
                }
            }
            coro::yield_now().await;
        }
    });
    spawner.set_name("spawner");
    coro::call_later(Duration::from_millis(10), ready);
    spawner.await.unwrap()
}

fn open_loop() -> coro::EventLoop {
    let signal = coro::signal::SignalKind::user_defined1();
    coro::EventLoop::builder().dump_on(signal).build().unwrap()
}

/// Two loops that write their dumps.
fn open(name: &str) {
    let (send, started) = std::sync::mpsc::channel();
    for _ in 0..2 {
        let (send, name) = (send.clone(), name.to_owned());
        std::thread::spawn(move || {
            open_loop().run_until_complete(async {
                let sleeper = coro::spawn(hours());
                sleeper.set_name(if name.is_empty() { "sleeper" } else { &name });
                coro::call_later(Duration::from_millis(10), move || send.send(()).unwrap());
                hours().await
            })
        });
    }
    started.iter().take(2).for_each(drop);
    ready();
    loop {
        std::thread::park();
    }
}

/// Tasks that have spawned tasks.
async fn family() {
    let parent = coro::spawn(async {
        for _ in 0..3 {
            coro::spawn(hours());
        }
        let middle = coro::spawn(async {
            coro::spawn(hours());
            hours().await
        });
        middle.set_name("middle");
        coro::spawn(hours());
        hours().await
    });
    parent.set_name("parent");
    coro::call_later(Duration::from_millis(10), ready);
    hours().await
}
