//! QUIC by quinn, a guest of tokio: a server that counts bytes, a client with streams at once.
//!
//! ```text
//! $ cargo run -p with-libraries --bin quic
//! 10 streams on one connection: 10 right answers
//! a datagram came back: ping
//! closed by the client: done
//! ```

use std::sync::Arc;

use anyhow::{Context, Result};
use coro::net::tls::{certificates_from_pem, private_key_from_pem, rustls};
use coro::{gather, spawn};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, ServerConfig};

/// Configurations of a server and of a client that trusts its certificate.
fn configurations() -> Result<(ServerConfig, ClientConfig)> {
    let _ = rustls::crypto::ring::default_provider().install_default(); // quinn takes the default
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let chain = certificates_from_pem(made.cert.pem())?;
    let key = private_key_from_pem(made.signing_key.serialize_pem())?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone())?;
    let server = ServerConfig::with_single_cert(chain, key)?;
    Ok((
        server,
        ClientConfig::with_root_certificates(Arc::new(roots))?,
    ))
}

/// Answers each stream with the number of its bytes, and sends datagrams back.
async fn serve(connection: Connection) -> Result<String> {
    let datagrams = connection.clone();
    spawn(async move {
        while let Ok(datagram) = datagrams.read_datagram().await {
            let _ = datagrams.send_datagram(datagram); // it may be lost, as datagrams may
        }
    });
    loop {
        let (mut send, mut receive) = match connection.accept_bi().await {
            Ok(stream) => stream,
            Err(ConnectionError::ApplicationClosed(close)) => {
                return Ok(String::from_utf8_lossy(&close.reason).into_owned());
            }
            Err(error) => return Err(error.into()),
        };
        spawn(async move {
            let bytes = receive.read_to_end(1 << 20).await?;
            send.write_all(bytes.len().to_string().as_bytes()).await?;
            send.finish()?;
            anyhow::Ok(())
        });
    }
}

/// Sends bytes on a stream of its own, and compares the answer.
async fn is_counted(connection: &Connection, number: usize) -> Result<bool> {
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(&vec![7; number]).await?;
    send.finish()?;
    let answer = receive.read_to_end(100).await?;
    Ok(answer == number.to_string().as_bytes())
}

#[coro::main(tokio)] // so that quinn finds a runtime
async fn main() -> Result<()> {
    let (server, client) = configurations()?;
    let server = Endpoint::server(server, "127.0.0.1:0".parse()?)?;
    let address = server.local_addr()?;
    let serving = spawn(async move {
        let incoming = server.accept().await.context("the endpoint is closed")?;
        serve(incoming.await?).await
    });
    let mut endpoint = Endpoint::client("127.0.0.1:0".parse()?)?;
    endpoint.set_default_client_config(client);
    let connection = endpoint.connect(address, "localhost")?.await?;
    let streams = (1..=10).map(|n| is_counted(&connection, n * 50_000));
    let counted = gather(streams.collect::<Vec<_>>()).await;
    let right = counted.iter().filter(|it| matches!(it, Ok(true))).count();
    println!("10 streams on one connection: {right} right answers");
    connection.send_datagram("ping".into())?;
    let datagram = connection.read_datagram().await?;
    println!(
        "a datagram came back: {}",
        String::from_utf8_lossy(&datagram)
    );
    connection.close(0_u32.into(), b"done");
    endpoint.wait_idle().await;
    println!("closed by the client: {}", serving.await??);
    Ok(())
}
