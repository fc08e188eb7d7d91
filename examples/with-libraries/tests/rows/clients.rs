//! HTTP clients: the pooled client of hyper-util on our sockets, reqwest as a guest of tokio.

use std::convert::Infallible;
use std::time::Duration;

use coro::compat::hyper::{Connector, Executor, HttpServer, Timer, serve_http};
use coro::net::tls::{TlsAcceptor, TlsConnector, certificates_from_pem, private_key_from_pem};
use coro::{gather, timeout};
use futures::StreamExt;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Response, Version};
use hyper_util::client::legacy::Client;

use crate::http::{PATIENCE, echo, ms, start};
use crate::peers::Peer;

type Pooled = Client<Connector, Empty<Bytes>>;

fn client() -> Pooled {
    Client::builder(Executor)
        .pool_timer(Timer)
        .build(Connector::new()) // glue
}

#[coro::test(real)]
async fn the_pooled_client_keeps_its_connections() {
    let (server, address) = start();
    let client = client();
    let get = async |n: usize| {
        let uri = format!("http://{address}/{n}").parse().unwrap();
        let answer = client.get(uri).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, format!("/{n}"));
    };
    gather((0..50).map(&get).collect::<Vec<_>>()).await;
    let connections = server.connections();
    assert!((1..=50).contains(&connections), "{connections}");
    gather((0..50).map(&get).collect::<Vec<_>>()).await;
    assert_eq!(server.connections(), connections);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn a_timeout_drops_a_request_of_the_pooled_client() {
    let never = async |_| std::future::pending::<Result<Response<String>, Infallible>>().await;
    let server = serve_http("127.0.0.1:0", never).unwrap();
    let uri = format!("http://{}/", server.local_addr().unwrap());
    let client = client();
    timeout(ms(20), client.get(uri.parse().unwrap()))
        .await
        .unwrap_err();
}

#[coro::test(real)]
async fn the_pooled_client_reads_files_of_nginx_at_once() {
    let Some(nginx) = Peer::nginx() else {
        return;
    };
    let client = client();
    let get = async |_: usize| {
        let uri = format!("http://{}/large", nginx.address).parse().unwrap();
        let answer = client.get(uri).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes().len()
    };
    let lengths = gather((0..50).map(get).collect::<Vec<_>>()).await;
    assert_eq!(lengths, [300_000; 50]);
}

#[coro::test(real)]
async fn the_pooled_client_and_the_server_agree_on_http2_over_tls() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = || certificates_from_pem(made.cert.pem().as_bytes()).unwrap();
    let key = private_key_from_pem(made.signing_key.serialize_pem().as_bytes()).unwrap();
    let acceptor = TlsAcceptor::builder(chain(), key).alpn_protocols(["h2", "http/1.1"]);
    let tls = HttpServer::builder().tls(acceptor.build().unwrap()); // glue
    let server = tls.start("127.0.0.1:0", echo).unwrap();
    let trusts = TlsConnector::builder()
        .root_certificates(chain())
        .alpn_protocols(["h2", "http/1.1"]);
    let connector = Connector::new().tls(trusts.build().unwrap()); // glue
    let client: Client<_, Empty<Bytes>> = Client::builder(Executor).build(connector);
    let uri = format!(
        "https://localhost:{}/by/tls",
        server.local_addr().unwrap().port()
    );
    let answer = client.get(uri.parse().unwrap()).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "/by/tls");
    drop(client);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

#[coro::test(real)]
async fn the_connector_says_why_it_does_not_connect() {
    let client = client();
    for (uri, reason) in [
        (
            "https://localhost/",
            "needs a connector with `tls(TlsConnector)`",
        ),
        (
            "gopher://localhost/",
            "has a scheme other than http and https",
        ),
    ] {
        let error = client.get(uri.parse().unwrap()).await.unwrap_err();
        let error = anyhow::Error::from(error);
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }
}

#[coro::test(tokio)] // glue
async fn reqwest_gets_files_of_nginx_at_once() {
    let Some(nginx) = Peer::nginx() else {
        return;
    };
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |_: usize| {
        let url = format!("http://{}/large", nginx.address);
        client
            .get(url)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .len()
    };
    let lengths = gather((0..50).map(get).collect::<Vec<_>>()).await;
    assert_eq!(lengths, [300_000; 50]);
}

#[coro::test(tokio)]
async fn reqwest_asks_our_server_and_a_timeout_drops_it() {
    let (server, address) = start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://{address}{path}");
    let answer = client.get(url("/a")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "/a");
    let slow = client.get(url("/slow")).send();
    timeout(Duration::from_millis(1), slow).await.unwrap_err();
    let mut tasks: futures::stream::FuturesUnordered<_> = (0..20)
        .map(|n| coro::spawn(client.get(url(&format!("/{n}"))).send()))
        .collect();
    while let Some(answer) = tasks.next().await {
        assert!(answer.unwrap().unwrap().status().is_success());
    }
    drop((client, tasks));
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}
