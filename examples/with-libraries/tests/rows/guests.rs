//! Guests of tokio: tokio's own sockets, files, timers and tasks; tonic.

use std::time::Duration;

use coro::compat::tokio::Runtime;
use coro::{EventLoop, gather, timeout};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::http::ms;
use crate::peers;

#[coro::test(tokio)] // glue
async fn tokio_sleeps_spawns_reads_files_and_sockets() {
    tokio::time::sleep(ms(1)).await;
    let ticks = tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(ms(1)));
    assert_eq!(ticks.take(3).count().await, 3);
    let tasks = (0..1000).map(|n| tokio::spawn(async move { n }));
    let tasks = gather(tasks.collect::<Vec<_>>()).await;
    let sum: u32 = tasks.into_iter().map(Result::unwrap).sum();
    assert_eq!(sum, 499_500);
    assert_eq!(tokio::task::spawn_blocking(|| 7).await.unwrap(), 7);

    let path = peers::directory().join("file");
    tokio::fs::write(&path, "written").await.unwrap();
    assert_eq!(tokio::fs::read_to_string(&path).await.unwrap(), "written");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (served, answer) = gather((
        async {
            let (mut stream, _) = listener.accept().await?;
            stream.write_all(b"hello").await
        },
        async {
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            std::io::Result::Ok(text)
        },
    ))
    .await;
    served.unwrap();
    assert_eq!(answer.unwrap(), "hello");
    let never = tokio::time::sleep(Duration::from_secs(3600));
    timeout(ms(5), never).await.unwrap_err();
}

/// A task that is cancelled at the end drops what it has of tokio while tokio is still entered.
#[test]
fn the_runtime_is_left_after_the_last_task_has_ended() {
    struct AsksTokio(tokio::sync::oneshot::Sender<bool>);

    impl Drop for AsksTokio {
        fn drop(&mut self) {
            let (told, _) = tokio::sync::oneshot::channel();
            let tell = std::mem::replace(&mut self.0, told);
            let _ = tell.send(tokio::runtime::Handle::try_current().is_ok());
        }
    }

    let (tell, mut told) = tokio::sync::oneshot::channel();
    coro::compat::tokio::run(async {
        let asks = AsksTokio(tell);
        coro::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            drop(asks);
        });
        coro::yield_now().await;
    });
    assert_eq!(told.try_recv(), Ok(true));
    assert!(tokio::runtime::Handle::try_current().is_err());
}

#[test]
fn loops_of_ones_own_run_inside_of_a_runtime_a_handle_or_both() {
    let runtime = Runtime::new().unwrap();
    let inner = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let loops = [
        EventLoop::builder().around(handle.clone()),
        EventLoop::builder().around(handle).around(inner),
        EventLoop::builder().around(runtime),
    ];
    for builder in loops {
        let mut event_loop = builder.build().unwrap();
        for n in 0..2 {
            let task = async { tokio::spawn(async move { n }).await.unwrap() };
            assert_eq!(event_loop.run_until_complete(task), Ok(n));
            assert!(tokio::runtime::Handle::try_current().is_err());
        }
    }
}

#[coro::test(tokio)] // glue
async fn tonic_serves_and_asks_by_grpc() {
    let address = peers::free_address();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("rows", ServingStatus::Serving)
        .await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tonic::transport::Server::builder().add_service(health);
    let serving = coro::spawn(server.serve_with_shutdown(address, async { drop(stopped.await) }));
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = loop {
        match endpoint.connect().await {
            Ok(channel) => break channel,
            Err(_) => coro::sleep(ms(5)).await, // it does not listen yet
        }
    };
    let mut client = HealthClient::new(channel);
    let request = HealthCheckRequest {
        service: "rows".to_owned(),
    };
    let answer = client.check(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.status, ServingStatus::Serving as i32);
    let mut changes = client.watch(request).await.unwrap().into_inner();
    assert_eq!(changes.message().await.unwrap().unwrap().status, 1);
    reporter
        .set_service_status("rows", ServingStatus::NotServing)
        .await;
    assert_eq!(changes.message().await.unwrap().unwrap().status, 2);
    drop((client, changes));
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
