//! axum: a `Router` by `serve_http`, handlers that wait for the loop, `axum::serve` as a guest.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Json;
use axum::routing::{get, post};
use coro::compat::hyper::serve_http;
use coro::compat::tower::TimeoutLayer;
use coro::group::CoroExt;
use coro::{gather, sleep};
use serde_json::{Value, json};
use tower::ServiceBuilder;

use crate::http::{PATIENCE, ask, connect_http1, ms};

async fn count(State(counter): State<Arc<AtomicU32>>) -> Json<Value> {
    Json(json!({ "count": counter.fetch_add(1, Ordering::Relaxed) + 1 }))
}

async fn sum(Json(numbers): Json<Vec<i64>>) -> Json<i64> {
    Json(numbers.iter().sum())
}

/// Waits for the loop, and owns something that is not `Send`.
async fn wait(Path(millis): Path<u64>) -> String {
    let waits = async move {
        let number = Rc::new(millis);
        sleep(ms(millis)).await;
        format!("waited for {number} ms")
    };
    waits.on_loop().await // glue
}

async fn greet(Query(query): Query<std::collections::HashMap<String, String>>) -> String {
    format!("hello, {}", query["name"])
}

fn router() -> Router {
    Router::new()
        .route("/count", get(count))
        .route("/greet", get(greet))
        .route("/wait/{millis}", get(wait).post(wait))
        .route("/", post(async || "posted"))
        .route("/sum", post(sum))
        .with_state(Arc::default())
}

async fn curl_like(address: SocketAddr, path: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("http://{address}{path}"))
        .send()
        .await
        .unwrap();
    answer.error_for_status().unwrap().text().await.unwrap()
}

#[coro::test(tokio)]
async fn a_router_is_served_with_state_extractors_and_waits() {
    let server = serve_http("127.0.0.1:0", router()).unwrap(); // glue
    let address = server.local_addr().unwrap();
    assert_eq!(curl_like(address, "/count").await, r#"{"count":1}"#);
    assert_eq!(curl_like(address, "/count").await, r#"{"count":2}"#);
    assert_eq!(curl_like(address, "/greet?name=ann").await, "hello, ann");
    let waits = (0..20).map(|n| async move { curl_like(address, &format!("/wait/{n}")).await });
    for (n, answer) in gather(waits.collect::<Vec<_>>()).await.iter().enumerate() {
        assert_eq!(*answer, format!("waited for {n} ms"));
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(format!("http://{address}/sum"))
        .json(&[1, 2, 39]);
    assert_eq!(
        request.send().await.unwrap().json::<i64>().await.unwrap(),
        42
    );
    drop(client);
    assert_eq!(server.shutdown(PATIENCE).await, 0);
}

/// Without any runtime of tokio.
#[coro::test(real)]
async fn a_router_needs_no_runtime_of_tokio_and_takes_our_layers() {
    let refuse = async |_: tower::BoxError| (axum::http::StatusCode::GATEWAY_TIMEOUT, "too late");
    let layers = ServiceBuilder::new()
        .layer(axum::error_handling::HandleErrorLayer::new(refuse))
        .layer(TimeoutLayer::new(ms(20)));
    let server = serve_http("127.0.0.1:0", router().layer(layers)).unwrap();
    let address = server.local_addr().unwrap();
    let mut client = connect_http1(address).await;
    assert_eq!(ask(&mut client, "/", "").await, "posted");
    assert_eq!(ask(&mut client, "/wait/1", "").await, "waited for 1 ms");
    client.ready().await.unwrap();
    let request = hyper::Request::post("/wait/10000").header("host", "localhost");
    let answer = client
        .send_request(request.body(Default::default()).unwrap())
        .await;
    assert_eq!(answer.unwrap().status(), 504);
}

#[coro::test(tokio)] // glue
async fn axum_serve_runs_as_a_guest() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = futures::channel::oneshot::channel::<()>();
    let app = Router::new().route("/", get(async || "a guest"));
    let serving = coro::spawn(async move {
        let server = axum::serve(listener, app);
        server
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() })
            .await
    });
    assert_eq!(curl_like(address, "/").await, "a guest");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
