//! The example program `tls_echo`, as a client or a server of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use super::Identity;
use super::configuration::Scratch;
use crate::examples::{example, printed, promised};

#[test]
fn tls_echo_prints_what_it_promises() {
    assert_eq!(printed("tls_echo", "0.01"), promised("tls_echo"));
}

/// Runs the example as a client that sends `message` to a server.
fn connect(arguments: &[&str], roots_of_machine: &str, message: &str) -> Output {
    let mut client = example("tls_echo")
        .arg("connect")
        .args(arguments)
        .env("SSL_CERT_FILE", roots_of_machine)
        .env("SSL_CERT_DIR", "/no/such/folder")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = client.stdin.take().unwrap();
    typed.write_all(message.as_bytes()).unwrap();
    drop(typed);
    client.wait_with_output().unwrap()
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(certificate: &Scratch, key: &Scratch) -> (Server, String) {
    let mut command: Command = example("tls_echo");
    command.args(["serve", "127.0.0.1:0"]);
    command.arg(&certificate.0).arg(&key.0);
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let port = line.split(' ').nth(2).unwrap().rsplit(':').next().unwrap();
    (Server(server), format!("localhost:{port}"))
}

#[test]
fn tls_echo_serves_and_connects_with_certificates_from_files() {
    let identity = Identity::localhost();
    let certificate = Scratch::new("example-crt", &identity.certificate.pem());
    let key = Scratch::new("example-key", &identity.key.serialize_pem());
    let (_server, target) = serve(&certificate, &key);
    let path = certificate.0.to_str().unwrap();
    let message = "hello\n".repeat(100_000);

    let given = connect(&[&target, path], "/no/such/file", &message);
    assert!(given.stdout == message.as_bytes(), "{given:?}");
    assert!(given.status.success());

    if cfg!(target_os = "linux") {
        let of_machine = connect(&[&target], path, "hello\n");
        assert_eq!(String::from_utf8_lossy(&of_machine.stdout), "hello\n");
        let none = connect(&[&target], "/no/such/file", "hello\n");
        let error = String::from_utf8_lossy(&none.stderr);
        assert!(
            error.contains("tls: no roots to trust on this machine"),
            "{error}"
        );
        assert!(!none.status.success());
    }
}
