//! `HttpService`: a function or a service, as a server calls it.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use pin_project_lite::pin_project;

use super::plan::HttpPlan;
use super::shared_stream::{InFlight, SharedStream};

/// An error of a library, as hyper takes it.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Something that answers HTTP requests: an async function, a service of hyper, or a service of tower
/// such as axum's `Router`.
///
/// - A function or closure takes a `Request<Incoming>`, and its future gives a [`Response`], or a
///   [`Result`] of one. It need be neither `Send` nor `Sync`.
/// - A [`hyper::service::Service`] is called as it is.
/// - A `tower::Service` that can be cloned is cloned for each request, and called when its clone is
///   ready.
///
/// An error breaks the connection off, or with HTTP/2 the stream of its request, and is reported to the
/// loop's exception handler: a failure that the client shall read is a response.
///
/// `Kind` tells the three apart; the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not answer HTTP requests",
    label = "not a function of `Request<Incoming>`, nor a service of hyper or tower",
    note = "write `async |request: hyper::Request<hyper::body::Incoming>| hyper::Response::new(..)`, \
            or pass a `hyper::service::Service`, or a `tower::Service` that is `Clone`, both of \
            `Request<Incoming>`"
)]
pub trait HttpService<Kind>: 'static {
    /// The body of the answers.
    type Body: Body<Error: Into<BoxError>> + 'static;
    /// The error that breaks a connection off.
    type Error: Into<BoxError>;
    /// The future of an answer.
    type Answering: Future<Output = Result<Response<Self::Body>, Self::Error>> + 'static;

    /// Answers a request.
    fn answer(&self, request: Request<Incoming>) -> Self::Answering;
}

/// The output of a function that answers requests: a [`Response`], or a [`Result`] of one.
pub trait HttpAnswer {
    /// The body of the answer.
    type Body: Body<Error: Into<BoxError>> + 'static;
    /// The error that breaks the connection off.
    type Error: Into<BoxError>;

    /// The answer, or the error.
    ///
    /// # Errors
    ///
    /// The error of the function.
    fn into_answer(self) -> Result<Response<Self::Body>, Self::Error>;
}

impl<B> HttpAnswer for Response<B>
where
    B: Body<Error: Into<BoxError>> + 'static,
{
    type Body = B;
    type Error = std::convert::Infallible;

    fn into_answer(self) -> Result<Response<B>, Self::Error> {
        Ok(self)
    }
}

impl<B, E> HttpAnswer for Result<Response<B>, E>
where
    B: Body<Error: Into<BoxError>> + 'static,
    E: Into<BoxError>,
{
    type Body = B;
    type Error = E;

    fn into_answer(self) -> Self {
        self
    }
}

/// The kinds of services, which no program names.
#[derive(Debug)]
pub struct ByFunction(());
/// See [`ByFunction`].
#[derive(Debug)]
pub struct ByHyper(());
/// See [`ByFunction`].
#[derive(Debug)]
pub struct ByTower(());

impl<F, A> HttpService<ByFunction> for F
where
    F: Fn(Request<Incoming>) -> A + 'static,
    A: Future<Output: HttpAnswer> + 'static,
{
    type Body = <A::Output as HttpAnswer>::Body;
    type Error = <A::Output as HttpAnswer>::Error;
    type Answering = Answering<A>;

    fn answer(&self, request: Request<Incoming>) -> Answering<A> {
        Answering {
            inner: self(request),
        }
    }
}

pin_project! {
    /// The future of a function's answer.
    #[derive(Debug)]
    pub struct Answering<A> {
        #[pin]
        inner: A,
    }
}

impl<A: Future<Output: HttpAnswer>> Future for Answering<A> {
    type Output =
        Result<Response<<A::Output as HttpAnswer>::Body>, <A::Output as HttpAnswer>::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map(HttpAnswer::into_answer)
    }
}

impl<S, B> HttpService<ByHyper> for S
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>> + 'static,
    S::Error: Into<BoxError>,
    S::Future: 'static,
    B: Body<Error: Into<BoxError>> + 'static,
{
    type Body = B;
    type Error = S::Error;
    type Answering = S::Future;

    fn answer(&self, request: Request<Incoming>) -> S::Future {
        self.call(request)
    }
}

impl<S, B> HttpService<ByTower> for S
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>> + Clone + 'static,
    S::Error: Into<BoxError>,
    S::Future: 'static,
    B: Body<Error: Into<BoxError>> + 'static,
{
    type Body = B;
    type Error = S::Error;
    type Answering = CalledWhenReady<S, S::Future>;

    fn answer(&self, request: Request<Incoming>) -> Self::Answering {
        CalledWhenReady::Waits {
            service: self.clone(),
            request: Some(request),
        }
    }
}

pin_project! {
    /// A service of tower, which is called as soon as it is ready.
    #[project = CalledWhenReadyProjection]
    #[derive(Debug)]
    pub enum CalledWhenReady<S, F> {
        /// The service may not be ready.
        Waits { service: S, request: Option<Request<Incoming>> },
        /// The service was called.
        Called { #[pin] future: F },
    }
}

impl<S> Future for CalledWhenReady<S, S::Future>
where
    S: tower_service::Service<Request<Incoming>>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let future = match self.as_mut().project() {
                CalledWhenReadyProjection::Called { future } => return future.poll(cx),
                CalledWhenReadyProjection::Waits { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    service.call(request.take().expect("a request that waits"))
                }
            };
            self.set(CalledWhenReady::Called { future });
        }
    }
}

/// A service whose requests are counted in the [`Activity`] of their connection.
pub(super) struct Counting<S, T, Kind> {
    plan: Rc<HttpPlan<S>>,
    connection: Rc<SharedStream<T>>,
    kind: std::marker::PhantomData<fn() -> Kind>,
}

impl<S, T, Kind> Counting<S, T, Kind> {
    pub(super) fn new(plan: Rc<HttpPlan<S>>, connection: Rc<SharedStream<T>>) -> Self {
        Counting {
            plan,
            connection,
            kind: std::marker::PhantomData,
        }
    }
}

impl<Kind, S, T> hyper::service::Service<Request<Incoming>> for Counting<S, T, Kind>
where
    S: HttpService<Kind>,
{
    type Response = Response<CountedBody<S::Body, T>>;
    type Error = BoxError;
    type Future = CountedAnswer<S::Answering, T>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let in_flight = InFlight::new(&self.connection);
        CountedAnswer {
            answer: self.plan.service.answer(request),
            in_flight: Some(in_flight),
        }
    }
}

pin_project! {
    /// An answer whose request counts until its body is sent.
    pub(super) struct CountedAnswer<A, T> {
        #[pin]
        answer: A,
        in_flight: Option<InFlight<T>>,
    }
}

impl<B, E, A, T> Future for CountedAnswer<A, T>
where
    A: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<CountedBody<B, T>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.answer.poll(cx));
        let in_flight = this.in_flight.take();
        Poll::Ready(match response {
            Ok(response) => Ok(response.map(|body| CountedBody { body, in_flight })),
            Err(error) => Err(reported(in_flight.as_ref(), error.into())),
        })
    }
}

/// Reports an error of the service, for which hyper breaks the connection off, or the stream of a
/// connection that has several. The error of a stream would go no further.
fn reported<T>(in_flight: Option<&InFlight<T>>, error: BoxError) -> BoxError {
    if let Some(in_flight) = in_flight {
        in_flight.report(&*error);
    }
    error
}

pin_project! {
    /// A body whose request counts until it is sent.
    pub(super) struct CountedBody<B, T> {
        #[pin]
        body: B,
        in_flight: Option<InFlight<T>>,
    }
}

impl<B: Body<Error: Into<BoxError>>, T> Body for CountedBody<B, T> {
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        let failed = |error: B::Error| reported(this.in_flight.as_ref(), error.into());
        Poll::Ready(frame.map(|frame| frame.map_err(failed)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
