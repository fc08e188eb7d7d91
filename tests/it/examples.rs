//! The output of the example programs, compared with the output that their heads promise.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_millis;

const ALL: [&str; 9] = [
    "hello_world",
    "countdown",
    "display_date",
    "chained",
    "callouts",
    "errors",
    "mixed",
    "echo_server",
    "tour",
];

/// No example is silent for longer than this, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn hello_world_prints_what_it_promises() {
    assert_eq!(printed("hello_world", "0.01"), promised("hello_world"));
}

#[test]
fn countdown_prints_what_it_promises() {
    assert_eq!(printed("countdown", "0.01"), promised("countdown"));
}

#[test]
fn chained_prints_what_it_promises() {
    assert_eq!(printed("chained", "0.01"), promised("chained"));
}

#[test]
fn callouts_prints_what_it_promises() {
    assert_eq!(printed("callouts", "0.03"), promised("callouts"));
}

#[test]
fn errors_prints_what_it_promises() {
    assert_eq!(printed("errors", "0.01"), promised("errors"));
}

#[test]
fn mixed_prints_what_it_promises() {
    assert_eq!(printed("mixed", "0.01"), promised("mixed"));
}

#[test]
fn a_scale_of_zero_leaves_no_delays() {
    // All three deadlines are at the same instant, so the tasks end in the order in which they
    // began.
    let mut countdown = promised("countdown");
    countdown[3..].rotate_right(1);
    assert_eq!(printed("countdown", "0"), countdown);
    assert_eq!(printed("mixed", "0"), promised("mixed"));
}

#[test]
fn display_date_prints_five_dates_in_order() {
    let begun = format_rfc3339_millis(SystemTime::now()).to_string();
    let dates = printed("display_date", "0.01");
    let ended = format_rfc3339_millis(SystemTime::now()).to_string();

    assert_eq!(dates.len(), promised("display_date").len());
    let in_order: Vec<&String> = [&begun].into_iter().chain(&dates).chain([&ended]).collect();
    assert!(in_order.is_sorted(), "{in_order:#?}");
    assert!(dates.iter().all(|date| date.len() == begun.len()));
}

#[test]
fn the_tour_shows_everything_in_order() {
    let printed = printed("tour", "0.1");
    let lines: Vec<&str> = printed.iter().map(|line| without_time(line)).collect();
    let network = position(&lines, "8  A TCP server and its clients");

    let promised = promised("tour");
    let promised: Vec<&str> = promised.iter().map(|line| without_time(line)).collect();
    assert_eq!(lines[..promised.len()], promised);
    assert_in_order(
        &lines[..network],
        &[
            "3  Plain functions that the loop calls later",
            "main      registered four, cancelled the one after 0.2 seconds",
            "callout   as soon as possible",
            "callout   after 0.1 seconds",
            "callout   after 0.3 seconds",
            "4  The date, tick by tick on the loop's own clock",
            "date      ",
            "date      ",
            "date      ",
            "5  An error from three coroutines down, and a panic",
            "bill      [\"tea\", \"cake\"] is 7",
            "bill      [\"tea\", \"moon\"] fails: we sell no moon",
            "task      Task-1 panicked: no such luck",
            "6  A coroutine, an async fn and a hand-written future",
            "coro      asks the async fn",
            "async fn  asks the hand-written future",
            "by hand   poll 1 of a coroutine",
            "inner     sleeping for: 0.1 seconds",
            "by hand   poll 2 of a coroutine",
            "inner     is finished",
            "coro      is told of 2 polls",
            "7  Deadlines, and ten thousand tasks",
            "timeout   the deadline has passed",
            "cancel    Task-2 was cancelled",
            "main      spawned 10000 tasks that sleep for 0.3 seconds each",
            "main      all 10000 are finished",
        ],
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("callout   after 0.2"))
    );

    // The clients talk at the same time, so only the order of the lines of each client is certain.
    let network = &lines[network..];
    for name in ["ann", "ben", "eve"] {
        let hears = |word| format!("{name}       hears \"{word} from {name}\"");
        let expected = ["hello", "loop", "bye"].map(hears);
        assert_in_order(network, &expected.each_ref().map(String::as_str));
    }
    assert_in_order(
        network,
        &[
            "server    listens on 127.0.0.1:",
            "ping      1000 round trips, ",
            "server    closed after 4117 bytes (Task-",
            "The end, after ",
        ],
    );
}

#[test]
fn clients_of_the_echo_server_do_not_harm_one_another() {
    let server = EchoServer::start("1");
    let mut idle = server.connect();
    assert_eq!(server.program.next_line(), "client 1 connected");

    let mut killed = server.connect();
    assert_eq!(server.program.next_line(), "client 2 connected");
    killed.write_all(b"unheard").unwrap();
    // Once the echo has arrived, closing without reading it resets the connection.
    killed.peek(&mut [0]).unwrap();
    drop(killed);
    let lost = server.program.next_line();
    let expected = match cfg!(target_os = "linux") {
        true => "client 2 is lost after 7 bytes: ",
        false => "client 2 ",
    };
    assert!(lost.starts_with(expected), "{lost}");

    let clients: Vec<_> = (0..8_u8)
        .map(|n| (server.connect(), vec![n; 300_000]))
        .map(|(client, bytes)| thread::spawn(move || assert_eq!(echo(client, &bytes), bytes)))
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let said: Vec<String> = (0..16).map(|_| server.program.next_line()).collect();
    for n in 3..=10 {
        assert!(
            said.contains(&format!("client {n} left: 300000 bytes")),
            "{said:#?}"
        );
    }

    idle.write_all(b"still here").unwrap();
    idle.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    idle.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "still here");
    assert_eq!(server.program.next_line(), "client 1 left: 10 bytes");
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_echo_server_and_its_open_connections() {
    let mut server = EchoServer::start("1");
    let mut open = server.connect();
    assert_eq!(server.program.next_line(), "client 1 connected");
    open.write_all(b"hello").unwrap();
    open.read_exact(&mut [0; 5]).unwrap();
    assert_eq!(echo(server.connect(), b"bye"), b"bye");
    assert_eq!(server.program.next_line(), "client 2 connected");
    assert_eq!(server.program.next_line(), "client 2 left: 3 bytes");

    server.program.interrupt();
    assert_eq!(server.program.next_line(), "stopped by Ctrl-C");
    assert_eq!(
        server.program.next_line(),
        "client 1 was still connected: closed"
    );
    assert_eq!(open.read(&mut [0]).unwrap(), 0, "the client reads its end");
    assert_eq!(
        server.program.next_line(),
        "served 2 clients, echoed 8 bytes"
    );
    TcpStream::connect(server.address).expect_err("nobody listens any more");
    assert!(server.program.end().success());
}

#[test]
fn the_echo_server_stops_at_its_deadline() {
    let mut server = EchoServer::start("0.001");
    assert_eq!(server.program.next_line(), "stopped by the deadline");
    assert_eq!(
        server.program.next_line(),
        "served 0 clients, echoed 0 bytes"
    );
    assert!(server.program.end().success());
}

#[test]
fn a_scale_that_makes_no_sense_is_refused_before_anything_runs() {
    for name in ALL {
        for arguments in [
            &["soon"][..],
            &["-1"],
            &["NaN"],
            &["inf"],
            &[""],
            &["1", "2"],
        ] {
            let refused = output(name, arguments);
            let why = String::from_utf8(refused.stderr).unwrap();
            assert_eq!(refused.status.code(), Some(2), "{name} {arguments:?}");
            assert!(refused.stdout.is_empty(), "{name} {arguments:?}");
            assert!(
                why.starts_with("error: the scale is "),
                "{name} {arguments:?}: {why}"
            );
            let culprit = format!("{:?}", arguments[arguments.len() - 1]);
            assert!(why.contains(&culprit), "{name} {arguments:?}: {why}");
        }
    }
}

/// The lines that an example prints. The example must succeed, with nothing on standard error.
pub(crate) fn printed(name: &str, scale: &str) -> Vec<String> {
    let output = output(name, &[scale]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    assert!(output.status.success(), "{name}: {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The lines that an example's first comment says it prints.
pub(crate) fn promised(name: &str) -> Vec<String> {
    let path = source(name);
    let source = fs::read_to_string(&path).unwrap();
    let wants = match path.starts_with(examples().join(MORE)) {
        true => "-p coro-examples ",
        false if source.contains("--features simulation ") => "--features simulation ",
        false => "",
    };
    let command = format!("//! $ cargo run {wants}--example {name}");
    let lines = source.lines().skip_while(|line| *line != command).skip(1);
    lines
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect()
}

fn output(name: &str, arguments: &[&str]) -> Output {
    let mut command = example(name);
    command.args(arguments).stdin(Stdio::null());
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(command.output()));
    match outcome.recv_timeout(PATIENCE) {
        Ok(output) => output.unwrap(),
        Err(_) => panic!("{name} {arguments:?} has not ended after {PATIENCE:?}"),
    }
}

/// The command for an example. Cargo puts examples beside the folder of this test's own program.
pub(crate) fn example(name: &str) -> Command {
    let this = std::env::current_exe().unwrap();
    let profile = this.ancestors().nth(2).unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = profile.join("examples").join(file);
    assert!(
        is_fresh(&path),
        "{} is missing, or older than its sources: `cargo test` builds it unless told to build \
         less, and so does `cargo build --examples`, with `--release` if the tests have it",
        path.display()
    );
    Command::new(path)
}

/// The folder of the examples that have a package of their own.
const MORE: &str = "with-a-crate";

fn examples() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("examples")
}

fn source(name: &str) -> PathBuf {
    let folders = [examples(), examples().join(MORE)];
    let files = folders.iter().flat_map(|folder| {
        let alone = folder.join(format!("{name}.rs"));
        [alone, folder.join(name).join("main.rs")]
    });
    let found = files.into_iter().find(|file| file.exists());
    found.unwrap_or_else(|| panic!("there is no example {name}"))
}

/// Whether a program exists and is newer than all sources that cargo's `.d` file lists for it.
fn is_fresh(program: &Path) -> bool {
    let Ok(notes) = fs::read_to_string(program.with_extension("d")) else {
        return false;
    };
    let (_, sources) = notes.split_once(": ").unwrap_or_default();
    let sources = sources.replace("\\ ", "\0");
    let mut sources = sources
        .split_whitespace()
        .map(|path| path.replace('\0', " "));
    let built = modified(program);
    built.is_some() && sources.all(|source| modified(Path::new(&source)) <= built)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|file| file.modified()).ok()
}

fn position(lines: &[&str], wanted: &str) -> usize {
    let found = lines.iter().position(|line| line.starts_with(wanted));
    found.unwrap_or_else(|| panic!("no line begins with {wanted:?} in {lines:#?}"))
}

/// Asserts that lines with these beginnings come in this order, with other lines between them.
fn assert_in_order(mut lines: &[&str], beginnings: &[&str]) {
    for wanted in beginnings {
        lines = &lines[position(lines, wanted) + 1..];
    }
}

/// A line of the tour without its time column, if it has one.
fn without_time(line: &str) -> &str {
    match line.trim_start().split_once("  ") {
        Some((time, rest)) if time.contains('.') && time.parse::<f64>().is_ok() => rest,
        _ => line,
    }
}

/// An example that runs beside the test, and is killed when the test drops it.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Program {
        let mut command = example(name);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        Program { child, lines }
    }

    pub(crate) fn next_line(&self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("the example says nothing more"),
            Err(RecvTimeoutError::Disconnected) => panic!("the example has ended"),
        }
    }

    /// Sends the signal of Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the example, which may print nothing more.
    pub(crate) fn end(&mut self) -> ExitStatus {
        assert_eq!(
            self.lines.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Disconnected)
        );
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct EchoServer {
    program: Program,
    address: SocketAddr,
}

impl EchoServer {
    fn start(scale: &str) -> EchoServer {
        let program = Program::start("echo_server", &[scale]);
        let greeting = program.next_line();
        let address = greeting
            .strip_prefix("listening on ")
            .and_then(|rest| rest.split(' ').next());
        let address = address.and_then(|text| text.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {greeting:?}"));
        EchoServer { program, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

/// Sends all bytes, reads until the server closes, and returns the bytes that came back.
fn echo(client: TcpStream, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            (&client).write_all(bytes).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        });
        (&client).read_to_end(&mut answer).unwrap();
    });
    answer
}
