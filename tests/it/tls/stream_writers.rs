//! Readers and writers over TLS, from the beginning or after plain text.

use std::io::ErrorKind;

use coro::gather;
use coro::net::{UnixStream, streams};

use super::{Identity, kind, tcp_pair, tls_pair};
use crate::support::panic_of;

#[coro::test(real)]
async fn a_pair_over_tls_reads_and_writes_and_ends_in_order() {
    let (client, server) = tls_pair(tcp_pair().await).await;
    let ((mut client, to_server), (mut server, to_client)) = (streams(client), streams(server));
    to_server.write(&b"x".repeat(1_000_000));
    to_server.write(b"\nlast\n");
    to_server.write_eof();
    let serve = async {
        assert_eq!(server.skip_until(b"\n").await.unwrap(), 1_000_001);
        assert_eq!(server.read_line().await.unwrap(), Some("last"));
        assert_eq!(server.read_line().await.unwrap(), None);
        to_client.write(b"after its end\n");
        to_client.close();
    };
    let hear = async {
        to_server.drain().await.unwrap();
        assert_eq!(client.read_line().await.unwrap(), Some("after its end"));
        assert_eq!(client.read_line().await.unwrap(), None);
        to_server.close();
    };
    gather((serve, hear)).await;
    let (ours, theirs) = gather((to_server.wait_closed(), to_client.wait_closed())).await;
    ours.unwrap();
    theirs.unwrap();
}

#[coro::test(real)]
async fn a_pair_goes_on_in_tls_after_plain_text() {
    let identity = Identity::localhost();
    let (connector, acceptor) = (identity.connector(), identity.acceptor());
    let (client, server) = tcp_pair().await;
    let ((mut client, to_server), (mut server, to_client)) = (streams(client), streams(server));
    let serve = async {
        assert_eq!(server.read_line().await.unwrap(), Some("STARTTLS"));
        to_client.write(b"go ahead\n");
        to_client
            .start_tls_server(&mut server, &acceptor)
            .await
            .unwrap();
        to_client.write(b"secret\n");
        assert_eq!(server.read_line().await.unwrap(), Some("mine"));
    };
    let ask = async {
        to_server.write(b"STARTTLS\n");
        assert_eq!(client.read_line().await.unwrap(), Some("go ahead"));
        to_server
            .start_tls(&mut client, &connector, "localhost")
            .await
            .unwrap();
        assert_eq!(client.read_line().await.unwrap(), Some("secret"));
        to_server.write(b"mine\n");
    };
    gather((serve, ask)).await;
}

#[coro::test(real)]
async fn bytes_in_plain_text_that_came_too_early_are_refused() {
    let identity = Identity::localhost();
    let (client, server) = tcp_pair().await;
    let ((mut reader, writer), (_, to_client)) = (streams(client), streams(server));
    to_client.write(b"go ahead\ninjected\n");
    assert_eq!(reader.read_line().await.unwrap(), Some("go ahead"));
    let refused = writer
        .start_tls(&mut reader, &identity.connector(), "localhost")
        .await;
    assert_eq!(kind(refused), ErrorKind::InvalidData);
    assert_eq!(
        reader.read_line().await.unwrap(),
        Some("injected"),
        "nothing was done"
    );
}

#[test]
fn a_reader_of_another_connection_is_refused() {
    let identity = Identity::localhost();
    let text = panic_of(|| {
        coro::run(async {
            let (ours, other) = UnixStream::pair().unwrap();
            let ((_, writer), (mut reader, _)) = (streams(ours), streams(other));
            writer
                .start_tls(&mut reader, &identity.connector(), "localhost")
                .await
        })
    });
    assert!(
        text.starts_with("start_tls() with the reader of another connection"),
        "{text}"
    );
}
