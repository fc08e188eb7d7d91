//! The example servers, tested with real clients.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::examples::{Program, printed, promised};

const PATIENCE: Duration = Duration::from_secs(20);

/// Starts an example as a server. Returns it with its address.
pub(crate) fn serve(name: &str, addresses: &[&str]) -> (Program, SocketAddr) {
    let arguments = [&["serve"], addresses].concat();
    let program = Program::start(name, &arguments);
    let greeting = program.next_line();
    let address = greeting.strip_prefix("listening on ");
    let address = address.and_then(|it| it.split([' ', ',']).next()?.parse().ok());
    let address = address.unwrap_or_else(|| panic!("no address in {greeting:?}"));
    (program, address)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends all bytes and shuts down the sending side. Returns the answer up to its end.
pub(crate) fn exchange(address: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    stream.write_all(sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Whether a program can be run here. If not, prints that the test is skipped.
pub(crate) fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let has = command.status().is_ok_and(|it| it.success());
    if !has {
        println!("skipped: there is no {program} here");
    }
    has
}

#[cfg(unix)]
fn assert_stops(mut program: Program) {
    program.interrupt();
    let last = program.next_line();
    assert!(last.starts_with("stopped by Ctrl-C: 0 "), "{last}");
    assert!(program.end().success());
}

#[cfg(not(unix))]
fn assert_stops(_: Program) {}

#[test]
fn demonstrations_print_what_they_promise() {
    for name in ["kv", "tcp_proxy", "chat", "frames"] {
        assert_eq!(printed(name, "0.05"), promised(name), "{name}");
    }
}

// ---- kv ----

#[test]
fn kv_answers_commands_that_come_in_any_pieces() {
    let (kv, address) = serve("kv", &["127.0.0.1:0"]);
    let commands = b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$7\r\nv\r\n\0lue\r\nPING\r\n\r\n\
        *2\r\n$3\r\nget\r\n$3\r\nkey\r\n*1\r\n$4\r\nPING\r\nget absent\n*0\r\n\
        *2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\nincr key\r\n\
        SET m 9223372036854775807\r\nINCR m\r\nGET\r\nSET a b EX\r\nDEL n m absent\r\n";
    let answers = "+OK\r\n+PONG\r\n$7\r\nv\r\n\0lue\r\n+PONG\r\n$-1\r\n:1\r\n:2\r\n\
        -ERR value is not an integer or out of range\r\n+OK\r\n\
        -ERR increment or decrement would overflow\r\n\
        -ERR wrong number of arguments for 'get' command\r\n-ERR syntax error\r\n:2\r\n";
    for at_a_time in [1, 7, 10_000] {
        let mut stream = connect(address);
        stream.set_nodelay(true).unwrap();
        for piece in commands.chunks(at_a_time) {
            stream.write_all(piece).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, answers, "{at_a_time} at a time");
    }
    assert_stops(kv);
}

#[test]
fn kv_refuses_malformed_commands_and_serves_other_clients() {
    let (kv, address) = serve("kv", &["127.0.0.1:0"]);
    let mut other = connect(address);
    for (sent, why) in [
        (&b"*1\r\n$-5\r\n"[..], "invalid bulk length"),
        (b"*1\r\n$9999999999\r\n", "invalid bulk length"),
        (b"*1\r\n$1048577\r\n", "invalid bulk length"),
        (b"*1\r\n$+1\r\nx\r\n", "invalid bulk length"),
        (b"*99999\r\n", "invalid multibulk length"),
        (b"*one\r\n", "invalid multibulk length"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (
            b"*1\r\n$1\r\nxy\r\n",
            "an argument is longer than announced",
        ),
        (&[b'x'; 20_000], "too big inline request"),
    ] {
        let mut stream = connect(address);
        stream.write_all(sent).unwrap();
        let mut answer = String::new();
        // The server closes with unread bytes, which may reset the connection.
        let read = stream.read_to_string(&mut answer);
        assert!(!matches!(read, Err(error) if error.kind() != ErrorKind::ConnectionReset));
        assert_eq!(answer, format!("-ERR Protocol error: {why}\r\n"));
        other.write_all(b"PING\r\n").unwrap();
        let mut pong = [0; 7];
        other.read_exact(&mut pong).unwrap();
        assert_eq!(&pong, b"+PONG\r\n");
    }
    drop(other);
    assert_stops(kv);
}

#[test]
fn kv_answers_a_client_that_writes_much_and_reads_late() {
    let (kv, address) = serve("kv", &["127.0.0.1:0"]);
    let value = "x".repeat(100_000);
    let set = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n{value}\r\n");
    assert_eq!(exchange(address, set.as_bytes()), b"+OK\r\n");
    let mut stream = connect(address);
    let mut writer = stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        writer.write_all(&b"GET k\r\n".repeat(300)).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    thread::sleep(Duration::from_millis(50)); // so that the socket's buffers are full
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).unwrap();
    assert_eq!(answers.len(), 300 * (100_000 + "$100000\r\n\r\n".len()));
    writing.join().unwrap();
    assert_stops(kv);
}

const PYTHON_CLIENT: &str = r#"
import socket, sys, threading
host, port = sys.argv[1].rsplit(":", 1)
def command(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)
def client():
    with socket.create_connection((host, int(port)), timeout=20) as s:
        f = s.makefile("rb")
        s.sendall(command(b"HELLO", b"3"))
        assert f.readline().startswith(b"-NOPROTO"), "falls back to RESP 2"
        s.sendall(command(b"INCR", b"python") * 500)
        last = [f.readline() for _ in range(500)][-1]
        assert last.startswith(b":"), last
threads = [threading.Thread(target=client) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
with socket.create_connection((host, int(port)), timeout=20) as s:
    s.sendall(b"GET python\r\n")
    f = s.makefile("rb")
    print(f.readline().decode().strip(), f.readline().decode().strip())
"#;

#[test]
fn kv_serves_clients_written_in_python() {
    if !has("python3") {
        return;
    }
    let (kv, address) = serve("kv", &["127.0.0.1:0"]);
    let output = Command::new("python3")
        .args(["-c", PYTHON_CLIENT, &address.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        said.trim(),
        "$4 2000",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_stops(kv);
}

#[test]
fn kv_serves_the_stock_command_line_client() {
    if !has("redis-cli") {
        return;
    }
    let (kv, address) = serve("kv", &["127.0.0.1:0"]);
    let ask = |words: &[&str]| {
        let port = address.port().to_string();
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &port]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask(&["ping"]), "PONG\n");
    assert_eq!(ask(&["set", "a key", "a value"]), "OK\n");
    assert_eq!(ask(&["get", "a key"]), "a value\n");
    assert_eq!(ask(&["incr", "n"]), "1\n");
    assert_eq!(ask(&["del", "n"]), "1\n");
    assert_stops(kv);
}

// ---- tcp_proxy ----

#[test]
fn the_proxy_keeps_half_closed_connections_in_both_orders() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = target.local_addr().unwrap().to_string();
    let (proxy, address) = serve("tcp_proxy", &["127.0.0.1:0", &to]);
    for client_first in [true, false] {
        let client = connect(address);
        let (server, _) = target.accept().unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut first, mut second) = match client_first {
            true => (client, server),
            false => (server, client),
        };
        first.write_all(b"a question").unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        let mut question = String::new();
        second.read_to_string(&mut question).unwrap();
        assert_eq!(question, "a question");
        second.write_all(b"an answer").unwrap();
        second.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        first.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "an answer");
        assert!(proxy.next_line().ends_with(" has come"));
        let gone = proxy.next_line();
        let counts = match client_first {
            true => "10 bytes sent, 9 received",
            false => "9 bytes sent, 10 received",
        };
        assert!(gone.ends_with(counts), "{gone}");
    }
    assert_proxy_stops(proxy, 0);
}

#[test]
fn the_proxy_reports_an_unreachable_target_and_cuts_no_other_connection() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let (proxy, address) = serve("tcp_proxy", &["127.0.0.1:0", &nobody]);
    for _ in 0..2 {
        let mut client = connect(address);
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        assert!(proxy.next_line().ends_with(" has come"));
        let lost = proxy.next_line();
        assert!(lost.contains(" is lost: "), "{lost}");
    }
    assert_proxy_stops(proxy, 0);
}

#[cfg(unix)]
fn assert_proxy_stops(mut proxy: Program, connected: usize) {
    proxy.interrupt();
    assert_eq!(
        proxy.next_line(),
        format!("stopping: {connected} connected")
    );
    assert_eq!(proxy.next_line(), "stopped by Ctrl-C: 0 connections cut");
    assert!(proxy.end().success());
}

#[cfg(not(unix))]
fn assert_proxy_stops(_: Program, _: usize) {}

// ---- chat ----

struct Guest(BufReader<TcpStream>);

impl Guest {
    fn enter(address: SocketAddr, name: &str) -> Guest {
        let mut guest = Guest(BufReader::new(connect(address)));
        assert_eq!(guest.hear(), "* what is your name?");
        guest.say(name);
        let welcome = guest.hear();
        assert!(
            welcome.starts_with(&format!("* you are {name}, in lobby")),
            "{welcome}"
        );
        guest
    }

    fn say(&mut self, line: &str) {
        self.0
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

#[test]
fn chat_keeps_rooms_apart_and_survives_bad_manners() {
    let (chat, address) = serve("chat", &["127.0.0.1:0"]);
    let mut ann = Guest::enter(address, "ann");
    let mut ben = Guest::enter(address, "ben");
    assert_eq!(ann.hear(), "* ben has come");
    ann.say("/join attic");
    assert_eq!(ann.hear(), "* ann has come");
    assert_eq!(ben.hear(), "* ann has gone to attic");
    ann.say("unheard in the lobby");
    assert_eq!(ann.hear(), "<ann> unheard in the lobby");
    ben.0.get_mut().write_all(b"caf\xe9\n").unwrap();
    assert_eq!(ben.hear(), "* that was no text");
    ben.say(&"long ".repeat(1000));
    assert_eq!(ben.hear(), "* that line is too long");
    ben.say("/dance");
    assert_eq!(ben.hear(), "* what is that supposed to mean?");
    ben.say("/nick ann");
    assert_eq!(ben.hear(), "* the name ann is taken");
    ann.say("/join lobby");
    assert_eq!(ben.hear(), "* ann has come");
    drop(ann);
    assert_eq!(ben.hear(), "* ann has left");
    let mut again = Guest::enter(address, "ann");
    again.say("/quit");
    assert_eq!(again.hear(), "* goodbye");
    assert_eq!(again.hear(), "");
    drop(again);
    stop_chat(chat, ben);
}

#[cfg(unix)]
fn stop_chat(mut chat: Program, mut last: Guest) {
    chat.interrupt();
    assert_eq!(last.hear(), "* ann has come");
    assert_eq!(last.hear(), "* ann has left");
    assert_eq!(last.hear(), "* the house closes: goodbye");
    assert_eq!(last.hear(), "");
    drop(last);
    assert_eq!(chat.next_line(), "stopped by Ctrl-C: 0 connections cut");
    assert!(chat.end().success());
}

#[cfg(not(unix))]
fn stop_chat(_: Program, _: Guest) {}
