//! The cost of a request to an HTTP server: a hello-world, with the load on another core.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use coro::compat::hyper::serve_http;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use monoio_compat::hyper::MonoioIo;

use super::net::against;
use super::net::load::{Load, OtherThread};
use super::net::servers::Server;
use crate::harness::{Bound, Case, Effort, Role, Suite};
use crate::runtimes::{Monoio, Runtime, TokioLocalRuntime};

const HELLO: &str = "hello, world\n";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// How often is looked whether a server is to stop.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn suite() -> Suite {
    Suite::new(
        "http",
        "an HTTP/1 hello-world; the load comes from another core",
    )
    .rounds(3, 1)
    .minutes_max(3)
    .case(hello("a request, 1 connection", 1, 20_000))
    .case(hello("a request, 64 connections", 64, 100_000))
    .case(hello("a request, 1,000 connections", 1000, 100_000))
}

fn hello(name: &'static str, connections: usize, messages: u64) -> Case {
    let case = Case::new(name, HyperOnTokio::NAME);
    let case = subject::<Coro>(case, connections, messages);
    let case = subject::<AxumOnCoro>(case, connections, messages);
    let case = subject::<HyperOnTokio>(case, connections, messages);
    let case = subject::<HyperOnMonoio>(case, connections, messages);
    let case = subject::<AxumOnTokio>(case, connections, messages);
    case.goal_for("server CPU", Bound::AheadOfPeers(1.0))
}

fn subject<S: Server>(case: Case, connections: usize, messages: u64) -> Case {
    case.subject(S::NAME, S::ROLE, move |effort: &Effort| {
        let load = Load {
            connections,
            bytes: REQUEST.len(),
            messages: effort.count(messages),
            repeats: 5,
        };
        against::<S, _>(effort, false, move |address| {
            let answer = answer_len(address)?;
            load.run(address, &OtherThread, REQUEST, answer)
        })
    })
}

/// The length of an answer, which is always the same.
fn answer_len(address: SocketAddr) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(REQUEST)?;
    let mut answer = Vec::new();
    while !answer.ends_with(HELLO.as_bytes()) {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => answer.extend_from_slice(&buffer[..len]),
        }
    }
    Ok(answer.len())
}

fn text(error: io::Error) -> String {
    error.to_string()
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(
        HELLO.as_bytes(),
    ))))
}

fn router() -> axum::Router {
    axum::Router::new().route("/", axum::routing::get(async || HELLO))
}

/// Calls `tell` once `stop` is set. Another thread looks, since a loop that did would have a timer for
/// each of its waits, which the servers that accept by hand have not.
fn when_stopped(stop: Arc<AtomicBool>, tell: impl FnOnce() + Send + 'static) {
    drop(thread::spawn(move || {
        while !stop.load(SeqCst) {
            thread::sleep(LOOK);
        }
        tell();
    }));
}

/// Serves on coro until `stop` is set.
async fn until_stopped(stop: Arc<AtomicBool>) {
    let (tell, told) = coro::sync::remote::oneshot::channel();
    when_stopped(stop, move || {
        let _ = tell.send(()); // refused, the server has failed
    });
    let _ = told.await;
}

struct Coro;

impl Server for Coro {
    const NAME: &'static str = "coro serve_http";
    const ROLE: Role = Role::Coro;

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        coro::run(async move {
            let listener = coro::net::TcpListener::from_std(listener).map_err(text)?;
            let _server = serve_http(listener, answer).map_err(text)?;
            until_stopped(stop).await;
            Ok(())
        })
    }
}

struct AxumOnCoro;

impl Server for AxumOnCoro {
    const NAME: &'static str = "axum by serve_http";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        coro::run(async move {
            let listener = coro::net::TcpListener::from_std(listener).map_err(text)?;
            let _server = serve_http(listener, router()).map_err(text)?;
            until_stopped(stop).await;
            Ok(())
        })
    }
}

struct HyperOnTokio;

impl Server for HyperOnTokio {
    const NAME: &'static str = "hyper on tokio";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        TokioLocalRuntime::run(async move {
            listener.set_nonblocking(true).map_err(text)?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(text)?;
            loop {
                let (stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                let _ = stream.set_nodelay(true);
                drop(tokio::task::spawn_local(async move {
                    let builder = hyper::server::conn::http1::Builder::new();
                    let serving =
                        builder.serve_connection(TokioIo::new(stream), service_fn(answer));
                    drop(serving.await);
                }));
            }
        })?
    }
}

struct HyperOnMonoio;

impl Server for HyperOnMonoio {
    const NAME: &'static str = "hyper on monoio";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        Monoio::run(async move {
            use monoio::io::IntoPollIo;
            let listener = monoio::net::TcpListener::from_std(listener).map_err(text)?;
            loop {
                let (stream, _) = listener.accept().await.map_err(text)?;
                if stop.load(SeqCst) {
                    return Ok(());
                }
                let _ = stream.set_nodelay(true);
                let stream = stream.into_poll_io().map_err(text)?;
                drop(monoio::spawn(async move {
                    let builder = hyper::server::conn::http1::Builder::new();
                    let serving =
                        builder.serve_connection(MonoioIo::new(stream), service_fn(answer));
                    drop(serving.await);
                }));
            }
        })?
    }
}

struct AxumOnTokio;

impl Server for AxumOnTokio {
    const NAME: &'static str = "axum on tokio, a worker";

    fn serve(listener: TcpListener, stop: Arc<AtomicBool>, _: bool) -> Result<(), String> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(text)?;
        runtime.block_on(async move {
            listener.set_nonblocking(true).map_err(text)?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(text)?;
            let serving = tokio::spawn(async move { axum::serve(listener, router()).await });
            let (tell, told) = tokio::sync::oneshot::channel();
            when_stopped(stop, move || {
                let _ = tell.send(()); // refused, the server has failed
            });
            let _ = told.await;
            serving.abort();
            Ok(())
        })
    }
}
