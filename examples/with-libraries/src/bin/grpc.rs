//! gRPC by tonic, a guest of tokio: the standard service of health, a client that watches it.
//!
//! ```text
//! $ cargo run -p with-libraries --bin grpc
//! check: Serving
//! watch: Serving
//! watch: NotServing
//! watch: Serving
//! unknown: NotFound, service not registered
//! stopped
//! ```

use std::time::Duration;

use anyhow::{Context, Result};
use coro::{sleep, spawn};
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Status;
use tonic_health::pb::health_client::HealthClient;

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

/// The word for a status on the wire.
fn word(status: i32) -> String {
    Status::try_from(status).map_or_else(|_| "?".to_owned(), |status| format!("{status:?}"))
}

async fn connect(url: String) -> Result<HealthClient<Channel>> {
    let endpoint = Endpoint::from_shared(url)?;
    for _ in 0..100 {
        if let Ok(channel) = endpoint.connect().await {
            return Ok(HealthClient::new(channel));
        }
        sleep(Duration::from_millis(10)).await; // it does not listen yet
    }
    Ok(HealthClient::new(endpoint.connect().await?))
}

#[coro::main(tokio)] // so that tonic finds a runtime
async fn main() -> Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("shop", ServingStatus::Serving)
        .await;
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = Server::builder().add_service(health);
    let stopped = async { stopped.await.unwrap_or_default() };
    let serving = spawn(server.serve_with_shutdown(address, stopped));

    let mut client = connect(format!("http://{address}")).await?;
    let status = client.check(request("shop")).await?.into_inner().status;
    println!("check: {}", word(status));
    let mut changes = client.watch(request("shop")).await?.into_inner();
    for status in [
        None,
        Some(ServingStatus::NotServing),
        Some(ServingStatus::Serving),
    ] {
        if let Some(status) = status {
            reporter.set_service_status("shop", status).await;
        }
        let change = changes.message().await?.context("the stream has ended")?;
        println!("watch: {}", word(change.status));
    }
    if let Err(status) = client.check(request("bank")).await {
        println!("unknown: {:?}, {}", status.code(), status.message());
    }
    drop((client, changes));
    drop(stop);
    serving.await??;
    println!("stopped");
    Ok(())
}
