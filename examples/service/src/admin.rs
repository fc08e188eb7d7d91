//! The pages for operators and monitors: `/live`, `/ready`, `/metrics`.

use std::rc::Rc;
use std::time::Duration;

use coro::LoopHandle;
use coro::compat::hyper::HttpServer;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, StatusCode};
use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::app::{Answer, App, REQUESTS, SECONDS, text};

const CONNECTIONS: &str = "http_connections";
const UNDERWAY: &str = "http_requests_underway";
const TASKS: &str = "loop_tasks";

/// The times of requests are counted up to each of these, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// How often the exporter tidies up, which it also does when it is read.
const UPKEEP: Duration = Duration::from_secs(5);

/// Everything that the pages show.
#[derive(Debug)]
pub(crate) struct Admin {
    app: Rc<App>,
    public: Rc<HttpServer>,
    metrics: PrometheusHandle,
}

/// Makes Prometheus's exporter the receiver of this process's metrics.
pub(crate) fn install_metrics() -> Result<PrometheusHandle, Box<dyn std::error::Error>> {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)?
        .build_recorder();
    let metrics = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    describe_counter!(REQUESTS, "requests that were answered");
    describe_histogram!(SECONDS, "from the head of a request to its answer");
    describe_gauge!(CONNECTIONS, "clients that are connected");
    describe_gauge!(UNDERWAY, "requests that have begun and are not answered");
    describe_gauge!(TASKS, "tasks of the loop that have not ended");
    Ok(metrics)
}

impl Admin {
    pub(crate) fn new(app: Rc<App>, public: Rc<HttpServer>, metrics: PrometheusHandle) -> Self {
        Admin {
            app,
            public,
            metrics,
        }
    }

    #[coro::coroutine]
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        match request.uri().path() {
            // It is answered by the loop that serves the clients: a loop that is stuck does not
            // answer, and the monitor's own time limit says so.
            "/live" => text(StatusCode::OK, "live\n"),
            "/ready" if self.app.is_ready() => text(StatusCode::OK, "ready\n"),
            "/ready" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
            "/metrics" => self.render(),
            _ => text(
                StatusCode::NOT_FOUND,
                "there are /live, /ready and /metrics\n",
            ),
        }
    }

    fn render(&self) -> Answer {
        // These are read off when they are asked for, not counted all the time.
        gauge!(CONNECTIONS).set(self.public.connections() as f64);
        gauge!(UNDERWAY).set(self.app.underway() as f64);
        gauge!(TASKS).set(LoopHandle::current().all_tasks().len() as f64);
        let mut answer = text(StatusCode::OK, self.metrics.render());
        let kind = HeaderValue::from_static("text/plain; version=0.0.4");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }

    /// Keeps the exporter small while it is not read.
    #[coro::coroutine]
    pub(crate) async fn tidy_up(&self) {
        let mut interval = coro::interval(UPKEEP);
        loop {
            interval.tick().await;
            self.metrics.run_upkeep();
        }
    }
}
