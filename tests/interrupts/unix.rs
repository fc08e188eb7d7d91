//! Ctrl-C while `run` runs on the main thread. The program runs itself again as the victim.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use coro::cores::{self, Core, SharedPort};
use coro::io::{AsyncReadExt, AsyncWriteExt};
use coro::net::TcpStream;
use coro::signal::{SignalKind, ctrl_c};
use coro::sync::remote::oneshot;
use coro::threads::to_thread_with;
use coro::{CancelToken, EventLoop, sleep, spawn};

const SIGINT: i32 = SignalKind::interrupt().as_raw();

/// A process that runs one of the cases of `victim`.
struct Victim {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Victim {
    fn start(what: &str, shell: &str) -> Self {
        let mut victim = Victim::start_in(what, shell);
        victim.wait_until_it_says("begun");
        victim
    }

    /// Starts one that says more before it has begun.
    fn start_saying(what: &str) -> Self {
        Victim::start_in(what, "")
    }

    fn start_in(what: &str, shell: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{shell} exec \"$0\" \"$@\"")])
            .arg(env::current_exe().unwrap())
            .env("CORO_TEST_VICTIM", what)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Victim { child, said }
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn wait_until_it_says(&mut self, what: &str) {
        let lines = self.said.by_ref().lines();
        let found = lines.map(Result::unwrap).any(|line| line == what);
        assert!(found, "it never said {what:?}");
    }

    fn interrupt(&self) {
        self.kill("-INT");
    }

    fn kill(&self, signal: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args([signal, &id]).status();
        assert!(kill.unwrap().success());
    }

    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn main() {
    if let Ok(what) = env::var("CORO_TEST_VICTIM") {
        return victim(&what);
    }
    let tests: [(&str, fn()); 9] = [
        (
            "the_first_ctrl_c_cancels_the_run_and_the_process_ends_as_by_the_signal",
            the_first_ctrl_c_cancels_the_run_and_the_process_ends_as_by_the_signal,
        ),
        (
            "the_second_ctrl_c_ends_the_process_at_once",
            the_second_ctrl_c_ends_the_process_at_once,
        ),
        (
            "a_listener_for_ctrl_c_replaces_the_cancellation",
            a_listener_for_ctrl_c_replaces_the_cancellation,
        ),
        (
            "between_runs_and_outside_of_run_ctrl_c_ends_the_process_as_ever",
            between_runs_and_outside_of_run_ctrl_c_ends_the_process_as_ever,
        ),
        (
            "a_process_that_ignores_ctrl_c_goes_on_ignoring_it",
            a_process_that_ignores_ctrl_c_goes_on_ignoring_it,
        ),
        (
            "on_several_cores_the_first_signal_cancels_all_and_the_process_ends_as_by_the_signal",
            on_several_cores_the_first_signal_cancels_all_and_the_process_ends_as_by_the_signal,
        ),
        (
            "cores_that_asked_for_their_tokens_end_by_themselves",
            cores_that_asked_for_their_tokens_end_by_themselves,
        ),
        (
            "on_several_cores_a_second_signal_ends_the_process_and_an_ignored_or_heard_one_does_nothing",
            on_several_cores_a_second_signal_ends_the_process_and_an_ignored_or_heard_one_does_nothing,
        ),
        (
            "ctrl_c_under_load_loses_no_reply_that_was_begun",
            ctrl_c_under_load_loses_no_reply_that_was_begun,
        ),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed", tests.len());
}

/// Prints its text when it is dropped.
struct Said(&'static str);

impl Drop for Said {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

/// Takes a minute to drop.
struct CleansUp;

impl Drop for CleansUp {
    fn drop(&mut self) {
        println!("cleaning up");
        thread::sleep(ms(60_000));
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn victim(what: &str) {
    match what {
        "waits" => coro::run(wait()),
        "waits with settings" => EventLoop::builder().debug(true).run(wait()),
        "is done first" => {
            coro::run(sleep(ms(1)));
            println!("begun");
            thread::sleep(ms(60_000));
        }
        "cleans up for ever" => coro::run(async {
            let _clean_up = CleansUp;
            println!("begun");
            std::future::pending::<()>().await;
        }),
        "computes" => coro::run(async {
            println!("begun");
            thread::sleep(ms(60_000));
        }),
        "listens" => coro::run(async {
            let pressed = ctrl_c();
            println!("begun");
            pressed.await.unwrap();
            println!("heard");
            sleep(ms(5)).await;
        }),
        "listens and stops to" => {
            coro::run(async { drop(ctrl_c()) });
            coro::run(wait());
        }
        "waits elsewhere" => thread::spawn(|| coro::run(wait())).join().unwrap(),
        "has a loop of its own" => EventLoop::new()
            .unwrap()
            .run_until_complete(wait())
            .unwrap(),
        "is brief" => coro::run(async {
            println!("begun");
            sleep(ms(300)).await;
        }),
        "waits on cores" => on_cores(async |core| {
            let _main = Said("a main was dropped");
            all_are_there(&core).await;
            std::future::pending::<()>().await;
        }),
        "one core heeds its token" => on_cores(async |core| {
            let _main = Said(if core.index() == 0 {
                "heeded"
            } else {
                "a main was dropped"
            });
            let token = core.shutdown();
            if core.index() == 1 {
                drop(token);
                return all_are_there(&core).await;
            }
            all_are_there(&core).await;
            println!("{}", token.cancelled().await.reason());
            let there = core.spawn_on(1, || async { "the other core still serves" });
            println!("{}", there.await.unwrap());
        }),
        "computes on cores" => on_cores(async |core| {
            all_are_there(&core).await;
            thread::sleep(ms(60_000));
        }),
        "listens on cores" => on_cores(async |core| {
            let pressed = ctrl_c();
            all_are_there(&core).await;
            pressed.await.unwrap();
            println!("heard");
        }),
        "is brief on cores" => on_cores(async |core| {
            all_are_there(&core).await;
            sleep(ms(300)).await;
        }),
        "serves on cores" => serve_on_cores(),
        other => panic!("no such victim: {other}"),
    }
    println!("after run");
}

fn on_cores(main: impl AsyncFn(Core) + Sync) {
    cores::Builder::new().threads(2).run(main).unwrap();
}

/// Says so once both cores have come here.
async fn all_are_there(core: &Core) {
    static CAME: AtomicUsize = AtomicUsize::new(0);
    if CAME.fetch_add(1, Ordering::SeqCst) + 1 == core.count() {
        println!("begun");
    }
}

/// The two halves of a reply.
const HALF: usize = 1000;

/// Serves on two cores until Ctrl-C. A reply takes a while, and has two halves.
fn serve_on_cores() {
    let port = SharedPort::bind("127.0.0.1:0").unwrap();
    println!("{}", port.local_addr().port());
    let ran = cores::Builder::new().threads(2).run(async |core| {
        let stopping = core.shutdown();
        let server = port.start(async move |stream, _| reply_until(stream, &stopping).await)?;
        all_are_there(&core).await;
        core.shutdown().cancelled().await;
        let cut = server.shutdown(ms(30_000)).await;
        println!("cut {cut}");
        io::Result::Ok(())
    });
    ran.unwrap();
}

async fn reply_until(mut stream: TcpStream, stopping: &CancelToken) -> io::Result<()> {
    loop {
        let request = stopping.run_until_cancelled(async { stream.read_exact(&mut [0]).await });
        match request.await {
            Ok(request) => request?,
            Err(_cancelled) => return Ok(()), // between two replies
        }
        stream.write_all(&[b'a'; HALF]).await?;
        sleep(ms(2)).await;
        stream.write_all(&[b'b'; HALF]).await?;
    }
}

async fn wait() {
    let _main = Said("main was dropped");
    spawn(async {
        let _task = Said("a task was dropped");
        std::future::pending::<()>().await;
    });
    let (begin, begun) = oneshot::channel();
    let job = to_thread_with(move |cancel| {
        begin.send(()).unwrap();
        while !cancel.is_cancelled() {
            thread::sleep(ms(1));
        }
        println!("a job has ended");
    });
    begun.await.unwrap();
    sleep(ms(1)).await;
    println!("begun");
    job.await.unwrap();
}

#[track_caller]
fn assert_cleaned_up_and_interrupted((status, said): (ExitStatus, String)) {
    assert_eq!(status.signal(), Some(SIGINT), "{status} {said}");
    for line in ["main was dropped", "a task was dropped", "a job has ended"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("after run"), "{said}");
}

#[track_caller]
fn assert_ended_at_once((status, said): (ExitStatus, String)) {
    assert_eq!(status.signal(), Some(SIGINT), "{status} {said}");
    assert_eq!(said, "");
}

fn the_first_ctrl_c_cancels_the_run_and_the_process_ends_as_by_the_signal() {
    for what in ["waits", "waits with settings"] {
        let victim = Victim::start(what, "");
        victim.interrupt();
        assert_cleaned_up_and_interrupted(victim.end());
    }
}

fn the_second_ctrl_c_ends_the_process_at_once() {
    let mut victim = Victim::start("cleans up for ever", "");
    victim.interrupt();
    victim.wait_until_it_says("cleaning up");
    victim.interrupt();
    assert_ended_at_once(victim.end());

    let computing = Victim::start("computes", "");
    computing.interrupt();
    thread::sleep(ms(50)); // so that the signals do not merge into one
    computing.interrupt();
    assert_ended_at_once(computing.end());
}

fn a_listener_for_ctrl_c_replaces_the_cancellation() {
    let victim = Victim::start("listens", "");
    victim.interrupt();
    let (status, said) = victim.end();
    assert!(status.success(), "{status} {said}");
    assert!(said.contains("heard\nafter run\n"), "{said}");

    let no_more = Victim::start("listens and stops to", "");
    no_more.interrupt();
    assert_cleaned_up_and_interrupted(no_more.end());
}

fn between_runs_and_outside_of_run_ctrl_c_ends_the_process_as_ever() {
    for what in ["is done first", "waits elsewhere", "has a loop of its own"] {
        let victim = Victim::start(what, "");
        victim.interrupt();
        assert_ended_at_once(victim.end());
    }
}

fn a_process_that_ignores_ctrl_c_goes_on_ignoring_it() {
    let victim = Victim::start("is brief", "trap '' INT;");
    victim.interrupt();
    let (status, said) = victim.end();
    assert!(status.success(), "{status} {said}");
    assert!(said.contains("after run"), "{said}");
}

fn on_several_cores_the_first_signal_cancels_all_and_the_process_ends_as_by_the_signal() {
    for (name, number) in [
        ("-INT", SIGINT),
        ("-TERM", SignalKind::terminate().as_raw()),
    ] {
        let victim = Victim::start("waits on cores", "");
        victim.kill(name);
        let (status, said) = victim.end();
        assert_eq!(status.signal(), Some(number), "{status} {said}");
        assert_eq!(said, "a main was dropped\na main was dropped\n");
    }
}

fn cores_that_asked_for_their_tokens_end_by_themselves() {
    let victim = Victim::start("one core heeds its token", "");
    victim.kill("-TERM");
    let (status, said) = victim.end();
    assert!(status.success(), "{status} {said}");
    for line in [
        "SIGTERM has asked the process to end\n",
        "the other core still serves\nheeded\n",
        "after run\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

fn on_several_cores_a_second_signal_ends_the_process_and_an_ignored_or_heard_one_does_nothing() {
    let computing = Victim::start("computes on cores", "");
    computing.interrupt();
    thread::sleep(ms(200)); // so that the signals do not merge into one
    computing.interrupt();
    assert_ended_at_once(computing.end());

    let listening = Victim::start("listens on cores", "");
    listening.interrupt();
    let (status, said) = listening.end();
    assert!(status.success(), "{status} {said}");
    assert_eq!(said, "heard\nheard\nafter run\n");

    let ignoring = Victim::start("is brief on cores", "trap '' INT TERM;");
    ignoring.interrupt();
    ignoring.kill("-TERM");
    let (status, said) = ignoring.end();
    assert!(status.success(), "{status} {said}");
    assert_eq!(said, "after run\n");
}

/// Asks for replies until the server hangs up; gives the number of whole replies.
fn ask_until_the_end(port: u16, asked: &AtomicUsize) -> usize {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(ms(60_000))).unwrap();
    let mut replies = 0;
    while stream.write_all(b"?").is_ok() {
        let mut reply = Vec::new();
        let ended = Read::by_ref(&mut stream)
            .take(2 * HALF as u64)
            .read_to_end(&mut reply);
        if reply.is_empty() {
            break; // the server hung up between two replies; `ended` may say that the request was lost
        }
        ended.unwrap();
        assert_eq!(
            reply,
            [[b'a'; HALF], [b'b'; HALF]].concat(),
            "a reply was cut"
        );
        replies += 1;
        asked.fetch_add(1, Ordering::SeqCst);
    }
    replies
}

fn ctrl_c_under_load_loses_no_reply_that_was_begun() {
    let mut victim = Victim::start_saying("serves on cores");
    let port = victim.next_line().parse().unwrap();
    victim.wait_until_it_says("begun");
    let asked = AtomicUsize::new(0);
    thread::scope(|scope| {
        let client = || scope.spawn(|| ask_until_the_end(port, &asked));
        let clients: Vec<_> = (0..16).map(|_| client()).collect();
        while asked.load(Ordering::SeqCst) < 200 {
            thread::sleep(ms(1));
        }
        victim.interrupt();
        for client in clients {
            client.join().unwrap();
        }
    });
    let (status, said) = victim.end();
    assert!(status.success(), "{status} {said}");
    assert_eq!(said, "cut 0\ncut 0\nafter run\n");
}
