//! tower: our layers on the loop's clock, and those of tower that need none.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use coro::compat::tower::{RateLimitLayer, TimeoutLayer};
use coro::{Elapsed, LoopHandle, gather, sleep};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

async fn sleeps(seconds: u64) -> Result<u64, Infallible> {
    sleep(Duration::from_secs(seconds)).await;
    Ok(seconds)
}

#[coro::test]
async fn a_request_that_takes_too_long_is_dropped_with_elapsed() {
    let limit = TimeoutLayer::new(Duration::from_secs(10)); // glue
    let service = ServiceBuilder::new().layer(limit).service_fn(sleeps);
    let (quick, slow) = gather((service.clone().oneshot(9), service.oneshot(11))).await;
    assert_eq!(quick.unwrap(), 9);
    assert!(slow.unwrap_err().is::<Elapsed>());
}

#[coro::test]
async fn requests_in_a_period_are_limited_and_clones_share_the_limit() {
    let limit = RateLimitLayer::new(3, Duration::from_secs(1)); // glue
    let begun = LoopHandle::current().time();
    let at = || (LoopHandle::current().time() - begun).as_secs();
    let when = service_fn(move |()| async move { Ok::<_, Infallible>(at()) });
    let service = ServiceBuilder::new().layer(limit).service(when);
    let ask = |_| {
        let service = service.clone();
        async move { service.oneshot(()).await.unwrap() }
    };
    let times = gather((0..8).map(ask).collect::<Vec<_>>()).await;
    assert_eq!(times, [0, 0, 0, 1, 1, 1, 2, 2]);
}

#[coro::test]
async fn a_permit_that_is_not_used_is_given_back() {
    let limit = RateLimitLayer::new(1, Duration::from_secs(60));
    let service = ServiceBuilder::new().layer(limit).service_fn(sleeps);
    let mut dropped = service.clone();
    ServiceExt::<u64>::ready(&mut dropped).await.unwrap();
    drop(dropped);
    let begun = LoopHandle::current().time();
    assert_eq!(service.oneshot(1).await.unwrap(), 1);
    assert_eq!(LoopHandle::current().time() - begun, Duration::from_secs(1));
}

#[coro::test]
#[should_panic(expected = "is not ready: await `ready()` before each call")]
async fn a_call_without_a_permit_panics() {
    let limit = RateLimitLayer::new(1, Duration::from_secs(60));
    let mut service = ServiceBuilder::new().layer(limit).service_fn(sleeps);
    drop(service.call(1));
}

#[coro::test]
async fn layers_of_tower_without_a_clock_take_services_that_are_not_send() {
    let busiest = Rc::<(Cell<u32>, Cell<u32>)>::default();
    let seen = busiest.clone();
    let counted = service_fn(move |n: u32| {
        let seen = seen.clone();
        async move {
            seen.0.set(seen.0.get() + 1);
            seen.1.set(seen.1.get().max(seen.0.get()));
            sleep(Duration::from_secs(1)).await;
            seen.0.set(seen.0.get() - 1);
            Ok::<_, Infallible>(Rc::new(n))
        }
    });
    let service = ServiceBuilder::new()
        .concurrency_limit(3)
        .map_response(|n: Rc<u32>| *n * 2)
        .service(counted);
    let asks = (0..9).map(|n| service.clone().oneshot(n));
    let answers = gather(asks.collect::<Vec<_>>()).await;
    let answers: Vec<u32> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [0, 2, 4, 6, 8, 10, 12, 14, 16]);
    assert_eq!(busiest.1.get(), 3);
}
