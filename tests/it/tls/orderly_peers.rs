//! What was written before a close arrives whole at OpenSSL's command and at Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use coro::net::tls::rustls::{ProtocolVersion, SupportedProtocolVersion};
use coro::net::{TcpListener, TcpStream, UnixStream};
use coro::sleep;

use super::Identity;
use super::orderly::{VERSIONS, acceptor_of};
use super::peers::{Files, ended, has, start, succeeded};
use crate::orderly_close::{WAYS, Way, arrived, payload, send, sizes};
use crate::support::ms;

/// A path of this test's own, at which there is nothing any more in the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("coro-{}-{name}", std::process::id());
        let place = Place(std::env::temp_dir().join(name));
        let _ = fs::remove_file(&place.0);
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn flag(version: &SupportedProtocolVersion) -> &'static str {
    match version.version {
        ProtocolVersion::TLSv1_2 => "-tls1_2",
        _ => "-tls1_3",
    }
}

/// A connection to a server that was started just now.
async fn connect(path: &Path) -> UnixStream {
    loop {
        match UnixStream::connect(path).await {
            Ok(stream) => return stream,
            Err(_) => sleep(ms(1)).await,
        }
    }
}

async fn to_a_server_of_openssl(
    way: Way,
    version: &'static SupportedProtocolVersion,
    (identity, files): (&Identity, &Files),
    data: &[u8],
) {
    let place = Place::new("s_server-socket");
    let mut server = start(
        Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-naccept",
                "1",
                flag(version),
                "-cert",
            ])
            .args([&files.certificate.0, Path::new("-key"), &files.key.0])
            .args([Path::new("-unix"), &place.0]),
    );
    let typed = server.stdin.take();
    let stream = connect(&place.0).await;
    let tls = identity.connector().connect("localhost", stream).await;
    let server = coro::spawn(ended(server));
    send(way, tls.unwrap(), data).await.unwrap();
    let output = server.await.unwrap();
    assert!(output.stdout == data, "{} bytes", output.stdout.len());
    drop(typed);
}

async fn to_a_client_of_openssl(
    way: Way,
    version: &'static SupportedProtocolVersion,
    (identity, files): (&Identity, &Files),
    data: &[u8],
) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut client = start(
        Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", flag(version)])
            .args(["-servername", "localhost", "-connect", &address, "-CAfile"])
            .arg(&files.certificate.0),
    );
    let typed = client.stdin.take();
    let (stream, _) = listener.accept().await.unwrap();
    let tls = acceptor_of(identity, version).accept(stream).await;
    let client = coro::spawn(ended(client));
    send(way, tls.unwrap(), data).await.unwrap();
    let output = client.await.unwrap();
    assert!(output.stdout == data, "{} bytes", output.stdout.len());
    drop(typed);
}

#[coro::test(real)]
async fn all_that_was_written_arrives_at_openssl() {
    if !has("openssl", "version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "orderly-openssl");
    let it = (&identity, &files);
    for (len, times) in sizes(3, 1) {
        let data = payload(len);
        for version in VERSIONS {
            for way in WAYS {
                for _ in 0..times {
                    to_a_server_of_openssl(way, version, it, &data).await;
                    to_a_client_of_openssl(way, version, it, &data).await;
                }
            }
        }
        arrived(len, times);
    }
}

/// Receives as often as it is told, by either side, and compares with what is in the file.
const PYTHON: &str = "
import socket, ssl, sys
side, certificate, key, path, port, version, times = sys.argv[1:]
with open(path, 'rb') as file:
    data = file.read()
is_server = side == 'server'
if is_server:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
else:
    context = ssl.create_default_context(cafile=certificate)
context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
for _ in range(int(times)):
    if is_server:
        plain, _ = listener.accept()
        tls = context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
    else:
        plain = socket.create_connection(('127.0.0.1', int(port)))
        tls = context.wrap_socket(plain, server_hostname='localhost', suppress_ragged_eofs=False)
    received = bytearray()
    while chunk := tls.recv(65536):
        received += chunk
    assert received == data, len(received)
    tls.close()
";

fn name(version: &SupportedProtocolVersion) -> &'static str {
    match version.version {
        ProtocolVersion::TLSv1_2 => "TLSv1_2",
        _ => "TLSv1_3",
    }
}

fn python(side: &str, files: &Files, path: &Path, port: u16) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON, side]);
    command.args([&files.certificate.0, &files.key.0, path]);
    command.arg(port.to_string());
    command
}

#[coro::test(real)]
async fn all_that_was_written_arrives_at_a_server_in_python() {
    if !has("python3", "--version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "orderly-python-server");
    let place = Place::new("python-server-data");
    for (len, times) in sizes(3, 1) {
        let data = payload(len);
        fs::write(&place.0, &data).unwrap();
        for version in VERSIONS {
            let times_all = (times * WAYS.len()).to_string();
            let mut server =
                start(python("server", &files, &place.0, 0).args([name(version), &times_all]));
            let mut line = String::new();
            let said = server.stdout.as_mut().unwrap();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).unwrap();
            let port: u16 = line.trim().parse().unwrap();
            for way in (0..times).flat_map(|_| WAYS) {
                let stream = TcpStream::connect(([127, 0, 0, 1], port)).await.unwrap();
                let tls = identity.connector().connect("localhost", stream).await;
                send(way, tls.unwrap(), &data).await.unwrap();
            }
            succeeded(&ended(server).await);
        }
        arrived(len, times);
    }
}

#[coro::test(real)]
async fn all_that_was_written_arrives_at_a_client_in_python() {
    if !has("python3", "--version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "orderly-python-client");
    let place = Place::new("python-client-data");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (len, times) in sizes(3, 1) {
        let data = payload(len);
        fs::write(&place.0, &data).unwrap();
        for version in VERSIONS {
            let acceptor = acceptor_of(&identity, version);
            let times_all = (times * WAYS.len()).to_string();
            let client =
                start(python("client", &files, &place.0, port).args([name(version), &times_all]));
            for way in (0..times).flat_map(|_| WAYS) {
                let (stream, _) = listener.accept().await.unwrap();
                let tls = acceptor.accept(stream).await.unwrap();
                send(way, tls, &data).await.unwrap();
            }
            succeeded(&ended(client).await);
        }
        arrived(len, times);
    }
}
