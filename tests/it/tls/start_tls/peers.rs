//! STARTTLS spoken with OpenSSL's command or with Python's client of SMTP.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;

use coro::net::tls::TlsAcceptor;
use coro::net::{Protocol, ProtocolServer, Transport, create_server};

use super::super::peers::{Files, ended, has, start, succeeded};
use super::Identity;

/// The part of SMTP that a client needs to ask for TLS, then to quit.
struct Smtp {
    acceptor: TlsAcceptor,
    transport: Option<Transport>,
    line: Vec<u8>,
    secure: bool,
}

impl Smtp {
    fn serve(identity: &Identity) -> (ProtocolServer, SocketAddr) {
        let acceptor = identity.acceptor();
        let factory = move || Smtp {
            acceptor: acceptor.clone(),
            transport: None,
            line: Vec::new(),
            secure: false,
        };
        let server = create_server(factory, "127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        (server, address)
    }

    fn obey(&mut self, line: &str, rest: usize) {
        let transport = self.transport.as_ref().unwrap();
        let say = |text: &str| transport.write(text.as_bytes());
        match line.trim_end().to_lowercase().as_str() {
            "starttls" if !self.secure && rest == 0 => {
                self.secure = true;
                say("220 go ahead\r\n");
                drop(coro::spawn(transport.start_tls_server(&self.acceptor)));
            }
            line if line.starts_with("ehlo") && !self.secure => {
                say("250-localhost\r\n250 STARTTLS\r\n");
            }
            line if line.starts_with("ehlo") => drop(say("250 localhost\r\n")),
            "noop" if self.secure => drop(say("250 in private\r\n")),
            "quit" => {
                say("221 bye\r\n");
                transport.close();
            }
            _ => drop(say("502 no\r\n")),
        }
    }
}

impl Protocol for Smtp {
    fn connection_made(&mut self, transport: &Transport) {
        transport.write(b"220 localhost ESMTP\r\n");
        self.transport = Some(transport.clone());
    }

    fn data_received(&mut self, data: &[u8]) {
        self.line.extend_from_slice(data);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let line = String::from_utf8(std::mem::replace(&mut self.line, rest)).unwrap();
            self.obey(&line, self.line.len());
        }
    }
}

#[coro::test(real)]
async fn a_client_of_openssl_asks_for_tls() {
    if !has("openssl", "version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "starttls");
    for flag in ["-tls1_2", "-tls1_3"] {
        let (_server, address) = Smtp::serve(&identity);
        let mut client = start(
            Command::new("openssl")
                .args(["s_client", "-quiet", "-starttls", "smtp", flag])
                .args(["-verify_return_error", "-verify_hostname", "localhost"])
                .args(["-connect", &address.to_string(), "-CAfile"])
                .arg(&files.certificate.0),
        );
        let mut typed = client.stdin.take().unwrap();
        typed.write_all(b"NOOP\r\nQUIT\r\n").unwrap();
        let output = ended(client).await;
        succeeded(&output);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.ends_with("250 in private\r\n221 bye\r\n"), "{said:?}");
        drop(typed);
    }
}

const PYTHON: &str = "
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
with smtplib.SMTP('localhost', int(sys.argv[2])) as client:
    assert client.noop()[0] == 502
    client.starttls(context=context)
    assert client.noop() == (250, b'in private')
";

#[coro::test(real)]
async fn a_mail_client_in_python_asks_for_tls() {
    if !has("python3", "--version") {
        return;
    }
    let identity = Identity::localhost();
    let files = Files::of(&identity, "smtplib");
    let (_server, address) = Smtp::serve(&identity);
    let client = start(
        Command::new("python3")
            .args(["-c", PYTHON])
            .arg(&files.certificate.0)
            .arg(address.port().to_string()),
    );
    succeeded(&ended(client).await);
}
