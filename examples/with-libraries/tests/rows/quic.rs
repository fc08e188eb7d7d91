//! quinn: QUIC as a guest of tokio, server and client in tasks of the loop.

use std::sync::Arc;

use coro::net::tls::{certificates_from_pem, private_key_from_pem, rustls};
use coro::{gather, spawn};
use quinn::{ClientConfig, Endpoint, ServerConfig};

/// Configurations of a server and of a client that trusts it.
fn configurations() -> (ServerConfig, ClientConfig) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = certificates_from_pem(made.cert.pem()).unwrap();
    let key = private_key_from_pem(made.signing_key.serialize_pem()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone()).unwrap();
    let server = ServerConfig::with_single_cert(chain, key).unwrap();
    let client = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    (server, client)
}

#[coro::test(tokio)] // glue
async fn quinn_echoes_streams_of_half_a_megabyte() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (server, client) = configurations();
    let server = Endpoint::server(server, "127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.local_addr().unwrap();
    let serving = spawn(async move {
        let connection = server.accept().await.unwrap().await.unwrap();
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            spawn(async move {
                let bytes = receive.read_to_end(1 << 20).await.unwrap();
                send.write_all(&bytes).await.unwrap();
                send.finish().unwrap();
            });
        }
        server.wait_idle().await;
    });
    let mut endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    endpoint.set_default_client_config(client);
    let connection = endpoint
        .connect(address, "localhost")
        .unwrap()
        .await
        .unwrap();
    let echoes = (0..20_u8).map(|n| {
        let connection = connection.clone();
        async move {
            let (mut send, mut receive) = connection.open_bi().await.unwrap();
            let bytes = vec![n; 500_000];
            let sending = async {
                send.write_all(&bytes).await.unwrap();
                send.finish().unwrap();
            };
            let ((), echoed) = gather((sending, receive.read_to_end(1 << 20))).await;
            assert!(echoed.unwrap() == bytes);
        }
    });
    gather(echoes.collect::<Vec<_>>()).await;
    connection.close(0_u32.into(), b"done");
    endpoint.wait_idle().await;
    serving.await.unwrap();
}
