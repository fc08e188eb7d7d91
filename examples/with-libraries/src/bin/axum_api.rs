//! An API by axum on coro: state, JSON, server-sent events from an async generator, graceful shutdown.
//!
//! ```text
//! $ cargo run -p with-libraries --bin axum_api
//! POST /notes: 201 Created, {"id":0,"text":"buy milk"}
//! POST /notes: 201 Created, {"id":1,"text":"read PEP 380"}
//! GET /notes/1: 200 OK, {"id":1,"text":"read PEP 380"}
//! GET /notes/7: 404 Not Found, there is no note 7
//! GET /ticks/3: data: tick 1 of 3, data: tick 2 of 3, data: tick 3 of 3
//! stopped: 0 connections cut, and the request that had begun was answered: waited for 50 ms
//! ```
//!
//! With an address it serves until Ctrl-C, and then finishes the requests that have begun:
//!
//! ```text
//! $ cargo run -p with-libraries --bin axum_api -- serve 127.0.0.1:8080
//! listening on 127.0.0.1:8080, until Ctrl-C
//! $ curl http://127.0.0.1:8080/ticks/2
//! ```

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use coro::compat::OnLoop;
use coro::compat::hyper::serve_http;
use coro::group::CoroExt;
use coro::{signal, sleep, spawn, yield_, yield_from};
use futures::Stream;
use serde_json::{Value, json};

/// The texts of the notes, by their ids.
type Notes = Arc<Mutex<Vec<String>>>;

const GRACE: Duration = Duration::from_secs(5);

fn router() -> Router {
    Router::new()
        .route("/notes", post(add))
        .route("/notes/{id}", get(note))
        .route("/ticks/{number}", get(ticks))
        .route("/wait/{millis}", get(wait))
        .with_state(Notes::default())
}

async fn add(State(notes): State<Notes>, Json(text): Json<String>) -> (StatusCode, Json<Value>) {
    let mut notes = notes.lock().expect("no handler panics with it");
    notes.push(text.clone());
    let note = json!({ "id": notes.len() - 1, "text": text });
    (StatusCode::CREATED, Json(note))
}

async fn note(State(notes): State<Notes>, Path(id): Path<usize>) -> Response {
    let notes = notes.lock().expect("no handler panics with it");
    match notes.get(id) {
        Some(text) => Json(json!({ "id": id, "text": text })).into_response(),
        None => (StatusCode::NOT_FOUND, format!("there is no note {id}")).into_response(),
    }
}

/// A generator that waits for the loop and yields events.
#[coro::coroutine(yields = Result<Event, Infallible>)]
async fn tick(number: u32) {
    for n in 1..=number {
        sleep(Duration::from_millis(20)).await;
        yield_!(Ok(Event::default().data(format!("tick {n} of {number}"))));
    }
}

async fn ticks(
    Path(number): Path<u32>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send> {
    Sse::new(OnLoop::new(Box::pin(tick(number)))) // axum asks for `Send`
}

async fn wait(Path(millis): Path<u64>) -> String {
    sleep(Duration::from_millis(millis)).on_loop().await; // here, too
    format!("waited for {millis} ms")
}

/// Asks by reqwest, as a guest of tokio.
async fn ask(request: reqwest::RequestBuilder) -> Result<String> {
    let response = request.send().await?;
    Ok(format!("{}, {}", response.status(), response.text().await?))
}

#[coro::coroutine]
async fn demonstrate() -> Result<()> {
    let server = serve_http("127.0.0.1:0", router())?;
    let address = server.local_addr()?;
    let url = |path: &str| format!("http://{address}{path}");
    let client = reqwest::Client::builder().no_proxy().build()?;
    for text in ["buy milk", "read PEP 380"] {
        let request = client.post(url("/notes")).json(text);
        println!("POST /notes: {}", yield_from!(ask(request))?);
    }
    for path in ["/notes/1", "/notes/7"] {
        println!("GET {path}: {}", yield_from!(ask(client.get(url(path))))?);
    }
    let events = client.get(url("/ticks/3")).send().await?.text().await?;
    let events: Vec<&str> = events.lines().filter(|line| !line.is_empty()).collect();
    println!("GET /ticks/3: {}", events.join(", "));

    let slow = spawn(client.get(url("/wait/50")).send());
    while server.connections() < 2 && !slow.is_finished() {
        sleep(Duration::from_millis(1)).await;
        if server.connections() > 0 {
            sleep(Duration::from_millis(10)).await;
            break;
        }
    }
    let cut = yield_from!(server.shutdown(GRACE));
    let answer = slow.await??.text().await?;
    println!(
        "stopped: {cut} connections cut, and the request that had begun was answered: {answer}"
    );
    Ok(())
}

#[coro::coroutine]
fn serve_until_ctrl_c(address: &str) -> Result<()> {
    let stop = signal::ctrl_c();
    let server = serve_http(address, router())?;
    println!("listening on {}, until Ctrl-C", server.local_addr()?);
    yield_from!(stop)?;
    let cut = yield_from!(server.shutdown(GRACE));
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}

#[coro::main(tokio)]
async fn main() -> Result<()> {
    match with_libraries::serve_at() {
        Some(address) => serve_until_ctrl_c(&address).await,
        None => demonstrate().await,
    }
}
