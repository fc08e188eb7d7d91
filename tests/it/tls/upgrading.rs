//! Plain streams that become TLS connections.

use std::io;

use coro::gather;
use coro::net::tls::{TlsAcceptor, TlsConnector};
use coro::net::{StreamReader, TcpStream};
use futures::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{Identity, kind, tcp_pair};
use crate::support::is_simulated;

/// A server that offers STARTTLS: its words up to the handshake, then TLS.
async fn offer(stream: TcpStream, acceptor: &TlsAcceptor, go_ahead: &str) -> io::Result<String> {
    let mut plain = BufReader::new(stream);
    plain.write_all(b"220 ready\r\n").await?;
    let mut command = String::new();
    plain.read_line(&mut command).await?;
    assert_eq!(command, "STARTTLS\r\n");
    plain.write_all(go_ahead.as_bytes()).await?;
    let mut tls = acceptor.start_tls(plain).await?;
    let mut secret = String::new();
    tls.read_to_string(&mut secret).await?;
    Ok(secret)
}

/// A client that asks for STARTTLS.
async fn upgrade(stream: TcpStream, connector: &TlsConnector, command: &str) -> io::Result<()> {
    let mut plain = BufReader::new(stream);
    let mut line = String::new();
    plain.read_line(&mut line).await?;
    plain.write_all(command.as_bytes()).await?;
    plain.read_line(&mut line).await?;
    assert_eq!(line, "220 ready\r\n220 go ahead\r\n");
    let mut tls = connector.start_tls("localhost", plain).await?;
    tls.write_all(b"secret").await?;
    tls.close().await
}

async fn converse(command: &str, go_ahead: &str) -> (io::Result<()>, io::Result<String>) {
    let identity = Identity::localhost();
    let (client, server) = tcp_pair().await;
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    gather((
        upgrade(client, &connector, command),
        offer(server, &acceptor, go_ahead),
    ))
    .await
}

#[coro::test]
async fn a_plain_conversation_goes_on_in_tls() {
    let (client, server) = converse("STARTTLS\r\n", "220 go ahead\r\n").await;
    client.unwrap();
    assert_eq!(server.unwrap(), "secret");
}

#[coro::test]
async fn a_command_injected_in_plain_text_is_refused_by_the_server() {
    let (client, server) = converse("STARTTLS\r\nRCPT TO:<me>\r\n", "220 go ahead\r\n").await;
    let error = server.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    // Those of its bytes that come later, in pieces, are no TLS.
    let is_told = error.to_string().contains("14 bytes in plain text");
    assert!(is_told || is_simulated(), "{error}");
    assert!(client.is_err());
}

#[coro::test]
async fn an_answer_injected_in_plain_text_is_refused_by_the_client() {
    let go_ahead = "220 go ahead\r\n250 AUTH PLAIN\r\n";
    let (client, server) = converse("STARTTLS\r\n", go_ahead).await;
    let error = client.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let is_told = error.to_string().contains("16 bytes in plain text");
    assert!(is_told || is_simulated(), "{error}");
    assert!(kind(server) == io::ErrorKind::UnexpectedEof || is_simulated());
}

#[coro::test]
async fn a_reader_of_lines_is_upgraded_just_so() {
    let identity = Identity::localhost();
    for (text, refused) in [("STARTTLS\r\n", false), ("STARTTLS\r\nQUIT\r\n", true)] {
        let (mut client, server) = tcp_pair().await;
        client.write_all(text.as_bytes()).await.unwrap();
        let mut lines = StreamReader::new(server);
        assert_eq!(lines.read_line().await.unwrap(), Some("STARTTLS"));
        let (connector, acceptor) = (identity.connector(), identity.acceptor());
        let ends = gather((
            connector.connect("localhost", client),
            acceptor.start_tls(lines),
        ))
        .await;
        assert_eq!((ends.0.is_err(), ends.1.is_err()), (refused, refused));
    }
}

#[coro::test]
async fn a_handshake_that_was_read_too_far_is_taken_up_through_its_reader() {
    let identity = Identity::localhost();
    let (client, server) = tcp_pair().await;
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let client = async {
        let mut client = client;
        client.write_all(b"PROXY TCP4\r\n").await.unwrap();
        let mut tls = connector.connect("localhost", client).await.unwrap();
        tls.write_all(b"secret").await.unwrap();
        tls.close().await.unwrap();
    };
    let server = async {
        let mut plain = BufReader::new(server);
        let mut first = String::new();
        // By now the handshake may have arrived too, and may be in the reader's buffer.
        coro::sleep(std::time::Duration::from_millis(10)).await;
        plain.read_line(&mut first).await.unwrap();
        let mut tls = acceptor.accept(plain).await.unwrap();
        let mut secret = String::new();
        tls.read_to_string(&mut secret).await.unwrap();
        assert_eq!((&*first, &*secret), ("PROXY TCP4\r\n", "secret"));
    };
    gather((client, server)).await;
}
