//! `App`: answers the requests of clients, within limits, and counts them.

use std::cell::Cell;
use std::error::Error;
use std::process;
use std::time::Duration;

use coro::time::now;
use coro::{sleep, timeout};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::RETRY_AFTER;
use hyper::{Method, Request, Response, StatusCode};
use metrics::{counter, histogram};

use crate::settings::Limits;

/// An answer, with its body.
pub(crate) type Answer = Response<Full<Bytes>>;

pub(crate) const REQUESTS: &str = "http_requests_total";
pub(crate) const SECONDS: &str = "http_request_seconds";

/// The business of the service, with the state that its requests share.
#[derive(Debug)]
pub struct App {
    limits: Limits,
    ready: Cell<bool>,
    underway: Cell<usize>,
}

/// Counts a request from its head to its answer, or until its client has gone.
struct Underway<'a>(&'a Cell<usize>);

impl<'a> Underway<'a> {
    fn new(count: &'a Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Underway(count)
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl App {
    /// An app with these limits, which is not ready yet.
    pub fn new(limits: Limits) -> Self {
        App {
            limits,
            ready: Cell::new(false),
            underway: Cell::new(0),
        }
    }

    /// Whether clients are to be sent here.
    pub fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Says whether clients are to be sent here. It serves those who come in any case.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(ready);
    }

    /// How many requests have begun and are not answered.
    pub fn underway(&self) -> usize {
        self.underway.get()
    }

    /// Answers a request, in the time that it may take, and counts it.
    #[coro::coroutine]
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let _underway = Underway::new(&self.underway);
        let begun = now();
        // A label has few values: the path of a client would be a series of its own each time.
        let route = match request.uri().path() {
            "/" => "/",
            "/echo" => "/echo",
            path if path.starts_with("/slow/") => "/slow",
            _ => "other",
        };
        let answered = timeout(self.limits.request, self.route(request, route)).await;
        let answer = answered.unwrap_or_else(|_| {
            let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, "this took too long\n");
            let later = hyper::header::HeaderValue::from_static("1");
            answer.headers_mut().insert(RETRY_AFTER, later);
            answer
        });
        let status = answer.status().as_u16().to_string();
        counter!(REQUESTS, "route" => route, "status" => status).increment(1);
        histogram!(SECONDS, "route" => route).record((now() - begun).as_secs_f64());
        answer
    }

    #[coro::coroutine]
    async fn route(&self, request: Request<Incoming>, route: &str) -> Answer {
        match (request.method(), route) {
            (&Method::GET, "/") => {
                let id = process::id();
                text(StatusCode::OK, format!("hello from process {id}\n"))
            }
            (&Method::GET, "/slow") => {
                let millis = request.uri().path().trim_start_matches("/slow/").parse();
                let Ok(millis) = millis else {
                    return text(
                        StatusCode::BAD_REQUEST,
                        "after /slow/ comes a number of milliseconds\n",
                    );
                };
                sleep(Duration::from_millis(millis)).await;
                text(StatusCode::OK, "that was slow\n")
            }
            (&Method::POST, "/echo") => self.echo(request.into_body()).await,
            (_, "other") => text(StatusCode::NOT_FOUND, "there is nothing here\n"),
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "not by this method\n"),
        }
    }

    #[coro::coroutine]
    async fn echo(&self, body: Incoming) -> Answer {
        match Limited::new(body, self.limits.bytes).collect().await {
            Ok(body) => Response::new(Full::new(body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => {
                let most = self.limits.bytes;
                text(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("at most {most} bytes\n"),
                )
            }
            Err(error) => text(StatusCode::BAD_REQUEST, broken(&*error)),
        }
    }
}

fn broken(error: &(dyn Error + 'static)) -> String {
    format!("the body cannot be read: {error}\n")
}

pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer
}
