//! PostgreSQL by tokio-postgres, over a socket of coro's: no runtime of tokio, one line of glue.
//!
//! It needs a server; without one it says so. Against one that has a user `postgres`:
//!
//! ```text
//! $ cargo run -p with-libraries --bin postgres -- 127.0.0.1:5432
//! 1000 rows inserted, 50 at a time
//! their sum is 499500
//! notified: that is all
//! ```

use std::io;

use anyhow::Result;
use coro::group::map_concurrent;
use coro::net::TcpStream;
use coro::spawn;
use coro::sync::channel;
use futures::{StreamExt, stream};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

/// Connects, and has a task of its own drive the connection, which gives the notifications.
async fn connect(stream: TcpStream) -> Result<(Client, channel::Receiver<String>)> {
    let config: Config = "user=postgres".parse()?;
    let (client, mut connection) = config.connect_raw(stream, NoTls).await?;
    let (tell, told) = channel::unbounded();
    spawn(async move {
        let mut messages = stream::poll_fn(|cx| connection.poll_message(cx));
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(it)) => {
                    drop(tell.send(it.payload().to_owned()).await)
                }
                Ok(_) => {}
                Err(error) => return println!("the connection failed: {error}"),
            }
        }
    });
    Ok((client, told))
}

async fn demonstrate(stream: TcpStream) -> Result<()> {
    let (client, mut told) = connect(stream).await?;
    let setup = "create temporary table numbers (n int8 primary key); listen numbers";
    client.batch_execute(setup).await?;
    let insert = client.prepare("insert into numbers values ($1)").await?;
    let inserted = map_concurrent(0..1000_i64, 50, async |n| {
        client.execute(&insert, &[&n]).await
    });
    let inserted: u64 = inserted.await.into_iter().sum::<Result<u64, _>>()?;
    println!("{inserted} rows inserted, 50 at a time");
    let row = client
        .query_one("select sum(n)::int8 from numbers", &[])
        .await?;
    println!("their sum is {}", row.get::<_, i64>(0));
    client
        .batch_execute("notify numbers, 'that is all'")
        .await?;
    if let Some(payload) = told.recv().await {
        println!("notified: {payload}");
    }
    Ok(())
}

#[coro::main]
async fn main() -> Result<()> {
    let address = with_libraries::server_at("ADDRESS", "127.0.0.1:5432");
    match TcpStream::connect(address.as_str()).await {
        Ok(stream) => demonstrate(stream).await,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            println!("skipped: no PostgreSQL listens on {address}");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
