//! Redis by the crate redis, over a socket of coro's: no runtime of tokio, two lines of glue.
//!
//! It needs a server; without one it says so. Against one that may lose its key `coro`:
//!
//! ```text
//! $ cargo run -p with-libraries --bin redis_client -- 127.0.0.1:6379
//! 1000 increments at once: the sum is 499500
//! a list of 3: ["one", "two", "three"]
//! ```

use std::io;

use anyhow::Result;
use coro::compat::OnLoop;
use coro::net::TcpStream;
use coro::{gather, spawn};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, AsyncTypedCommands, RedisConnectionInfo};

async fn connect(stream: TcpStream) -> Result<MultiplexedConnection> {
    let stream = OnLoop::new(stream); // redis asks for `Send`
    let config = AsyncConnectionConfig::new().set_response_timeout(None); // by tokio's clock
    let info = RedisConnectionInfo::default();
    let made = MultiplexedConnection::new_with_config(&info, stream, config);
    let (connection, driver) = made.await?;
    spawn(driver);
    Ok(connection)
}

async fn demonstrate(stream: TcpStream) -> Result<()> {
    let mut connection = connect(stream).await?;
    connection.del("coro").await?;
    let increments = (0..1000).map(|n| {
        let mut connection = connection.clone();
        async move { connection.incr("coro", n).await }
    });
    let sums = gather(increments.collect::<Vec<_>>()).await;
    let sums: Vec<isize> = sums.into_iter().collect::<Result<_, _>>()?;
    let sum = sums.iter().max().expect("of a thousand");
    println!("1000 increments at once: the sum is {sum}");
    connection.del("coro").await?;
    for word in ["one", "two", "three"] {
        connection.rpush("coro", word).await?;
    }
    let list = connection.lrange("coro", 0, -1).await?;
    println!("a list of {}: {list:?}", list.len());
    Ok(())
}

#[coro::main]
async fn main() -> Result<()> {
    let address = with_libraries::server_at("ADDRESS", "127.0.0.1:6379");
    match TcpStream::connect(address.as_str()).await {
        Ok(stream) => demonstrate(stream).await,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            println!("skipped: no Redis listens on {address}");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
