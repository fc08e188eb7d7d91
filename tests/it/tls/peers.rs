//! TLS spoken with OpenSSL's command or with Python.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use coro::net::tls::TlsStream;
use coro::net::tls::rustls::ProtocolVersion;
use coro::net::{TcpListener, TcpStream};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::Identity;
use super::configuration::Scratch;

/// Whether a command can be run here. If not, prints that the test is skipped.
pub(super) fn has(command: &str, argument: &str) -> bool {
    let mut command = Command::new(command);
    command.arg(argument).stdout(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    if !there {
        println!("skipped: {command:?} does not work here");
    }
    there
}

pub(super) fn start(command: &mut Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for a process without blocking the loop that serves it.
pub(super) async fn ended(child: Child) -> Output {
    let waiting = thread::spawn(|| child.wait_with_output().unwrap());
    while !waiting.is_finished() {
        coro::sleep(std::time::Duration::from_millis(1)).await;
    }
    waiting.join().unwrap()
}

#[track_caller]
pub(super) fn succeeded(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
}

/// Connects to a foreign server, which prints its address on a line that begins with `prefix`.
async fn connect(server: &mut Child, identity: &Identity, prefix: &str) -> TlsStream<TcpStream> {
    let mut lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let line = lines.find(|line| line.as_ref().unwrap().starts_with(prefix));
    let line = line.expect("it listens").unwrap();
    let port: u16 = line.rsplit(':').next().unwrap().parse().unwrap();
    let stream = TcpStream::connect(([127, 0, 0, 1], port)).await.unwrap();
    let connector = identity.connector();
    connector.connect("localhost", stream).await.unwrap()
}

pub(super) struct Files {
    pub(super) certificate: Scratch,
    pub(super) key: Scratch,
}

impl Files {
    pub(super) fn of(identity: &Identity, test: &str) -> Self {
        Files {
            certificate: Scratch::new(&format!("{test}-crt"), &identity.certificate.pem()),
            key: Scratch::new(&format!("{test}-key"), &identity.key.serialize_pem()),
        }
    }
}

#[coro::test(real)]
async fn a_server_of_openssl_is_understood() {
    if !has("openssl", "version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "s_server");
    for (flag, version) in [
        ("-tls1_2", ProtocolVersion::TLSv1_2),
        ("-tls1_3", ProtocolVersion::TLSv1_3),
    ] {
        let mut server = start(
            Command::new("openssl")
                .args([
                    "s_server",
                    "-accept",
                    "127.0.0.1:0",
                    "-naccept",
                    "1",
                    "-rev",
                ])
                .args(["-alpn", "echo", flag, "-cert"])
                .arg(&files.certificate.0)
                .arg("-key")
                .arg(&files.key.0),
        );
        let mut tls = connect(&mut server, &identity, "ACCEPT ").await;
        assert_eq!(tls.protocol_version(), Some(version));
        tls.write_all(b"hello\n").await.unwrap();
        tls.flush().await.unwrap();
        let mut answer = [0; 6];
        tls.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"olleh\n");
        tls.close().await.unwrap();
        drop(tls);
        succeeded(&ended(server).await);
    }
}

/// Serves one connection: reads a line, then sends it back with its length in front.
async fn serve_a_line(listener: TcpListener, identity: &Identity) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let tls = identity.acceptor().accept(stream).await.unwrap();
    let name = tls.server_name().unwrap_or_default().to_owned();
    let mut tls = futures::io::BufReader::new(tls);
    let mut line = String::new();
    futures::AsyncBufReadExt::read_line(&mut tls, &mut line)
        .await
        .unwrap();
    let answer = format!("{}: {line}", line.len());
    tls.write_all(answer.as_bytes()).await.unwrap();
    tls.close().await.unwrap();
    // The other end says nothing more, but closes in order.
    let _ = tls.read_to_string(&mut line).await;
    name
}

#[coro::test(real)]
async fn a_client_of_openssl_is_served() {
    if !has("openssl", "version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "s_client");
    for flag in ["-tls1_2", "-tls1_3"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = start(
            Command::new("openssl")
                .args(["s_client", "-quiet", "-verify_return_error", flag])
                .args(["-servername", "localhost", "-verify_hostname", "localhost"])
                .args(["-connect", &address.to_string(), "-CAfile"])
                .arg(&files.certificate.0),
        );
        let mut typed = client.stdin.take().unwrap();
        typed.write_all(b"hello\n").unwrap();
        assert_eq!(serve_a_line(listener, &identity).await, "localhost");
        let output = ended(client).await;
        succeeded(&output);
        assert_eq!(output.stdout, b"6: hello\n");
        drop(typed);
    }
}

const PYTHON_CLIENT: &str = "
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
with socket.create_connection(('127.0.0.1', int(sys.argv[2]))) as plain:
    tls = context.wrap_socket(plain, server_hostname='localhost', suppress_ragged_eofs=False)
    tls.sendall(b'hello\\n')
    received = b''
    while chunk := tls.recv(4096):
        received += chunk
    assert received == b'6: hello\\n', received
    tls.unwrap()
";

#[coro::test(real)]
async fn a_client_in_python_is_served_to_a_clean_end() {
    if !has("python3", "--version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "python-client");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = start(
        Command::new("python3")
            .args(["-c", PYTHON_CLIENT])
            .arg(&files.certificate.0)
            .arg(port.to_string()),
    );
    assert_eq!(serve_a_line(listener, &identity).await, "localhost");
    succeeded(&ended(client).await);
}

const PYTHON_SERVER: &str = "
import socket, ssl, sys
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(('127.0.0.1', 0))
print('port :%d' % listener.getsockname()[1], flush=True)
plain, _ = listener.accept()
tls = context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
received = b''
while chunk := tls.recv(4096):
    received += chunk
tls.sendall(received[::-1])
plain = tls.unwrap()
";

#[coro::test(real)]
async fn a_server_in_python_is_understood_to_a_clean_end() {
    if !has("python3", "--version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "python-server");
    let mut server = start(
        Command::new("python3")
            .args(["-c", PYTHON_SERVER])
            .arg(&files.certificate.0)
            .arg(&files.key.0),
    );
    let mut tls = connect(&mut server, &identity, "port ").await;
    let mine = "0123456789".repeat(20_000);
    tls.write_all(mine.as_bytes()).await.unwrap();
    tls.close().await.unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await.unwrap();
    assert!(answer.chars().rev().eq(mine.chars()));
    drop(tls);
    let mut errors = String::new();
    server
        .stderr
        .as_mut()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert!(server.wait().unwrap().success(), "{errors}");
}
