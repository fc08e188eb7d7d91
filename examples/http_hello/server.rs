//! The HTTP server: its answers, its shutdown.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{Server, TcpStream, is_hang_up};
use coro::sync::Event;
use coro::yield_from;
use futures::future::{Either as First, select};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};

use super::adapter::{HyperIo, HyperTimer};

type Body = Either<Full<Bytes>, Incoming>;

/// A server that can be stopped between two requests.
pub(crate) struct Http {
    pub(crate) server: Server,
    stopping: Rc<Event>,
}

impl Http {
    /// Starts the server. A client must send the head of a request within `patience`.
    pub(crate) fn start(addresses: &str, patience: Duration) -> io::Result<Http> {
        let stopping = Rc::<Event>::default();
        let stop = stopping.clone();
        let builder = Server::builder().max_connections(1000);
        let serving = move |stream, _| serve(stream, patience, stop.clone());
        Ok(Http {
            server: builder.start(addresses, serving)?,
            stopping,
        })
    }

    /// Finishes requests that have begun, for at most `grace`. Returns how many connections it had
    /// to cut.
    #[coro::coroutine]
    pub(crate) fn stop(&self, grace: Duration) -> usize {
        self.stopping.set();
        yield_from!(self.server.shutdown(grace))
    }
}

#[coro::coroutine]
fn serve(stream: TcpStream, patience: Duration, stopping: Rc<Event>) -> Result<(), hyper::Error> {
    let mut builder = http1::Builder::new();
    builder.timer(HyperTimer).header_read_timeout(patience);
    builder.half_close(true); // a client that has shut down its side still gets the answer
    let connection = builder.serve_connection(HyperIo::new(stream), service_fn(answer));
    let mut connection = pin!(connection);
    let stopped = pin!(stopping.wait());
    let ended = match yield_from!(select(connection.as_mut(), stopped)) {
        First::Left((ended, _)) => ended,
        First::Right(_) => {
            connection.as_mut().graceful_shutdown();
            yield_from!(connection)
        }
    };
    match ended {
        // A client that closes in the middle of a request harms no other client.
        Err(error) if error.is_incomplete_message() || error.is_timeout() || is_hang_up(&error) => {
            Ok(())
        }
        ended => ended,
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    Ok(match (request.method(), path.strip_prefix("/hello/")) {
        (&Method::GET, Some(name)) => text(StatusCode::OK, format!("hello, {name}\n")),
        (&Method::GET, None) if path == "/" => text(StatusCode::OK, "hello, world\n".into()),
        (&Method::POST, None) if path == "/echo" => {
            Response::new(Either::Right(request.into_body())) // streamed: sent back as it arrives
        }
        _ => text(StatusCode::NOT_FOUND, format!("there is no {path} here\n")),
    })
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    response
}
