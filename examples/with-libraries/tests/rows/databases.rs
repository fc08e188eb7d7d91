//! Databases: tokio-postgres, sqlx and redis, each with a real server.

use coro::compat::OnLoop;
use coro::net::TcpStream;
use coro::{gather, spawn};
use futures::{StreamExt, TryStreamExt, stream};
use redis::AsyncTypedCommands;
use sqlx::Connection;
use tokio_postgres::{AsyncMessage, Config, NoTls};

use crate::peers::Peer;

/// Over our own socket, without any runtime of tokio.
#[coro::test(real)]
async fn tokio_postgres_pipelines_over_our_socket() {
    let Some(server) = Peer::postgres() else {
        return;
    };
    let stream = TcpStream::connect(server.address).await.unwrap(); // glue
    let config = "user=postgres".parse::<Config>().unwrap();
    let (client, mut connection) = config.connect_raw(stream, NoTls).await.unwrap();
    let (notify, notified) = futures::channel::mpsc::unbounded();
    spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                notify
                    .unbounded_send(notification.payload().to_owned())
                    .unwrap();
            }
        }
    });
    client
        .batch_execute("create table numbers (n int8 primary key); listen rows")
        .await
        .unwrap();
    let insert = client
        .prepare("insert into numbers values ($1)")
        .await
        .unwrap();
    let inserts = (0..200_i64).map(|n| {
        let (client, insert) = (&client, &insert);
        async move { client.execute(insert, &[&n]).await.unwrap() }
    });
    assert_eq!(gather(inserts.collect::<Vec<_>>()).await, [1; 200]);
    let row = client
        .query_one("select sum(n)::int8 from numbers", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 19_900);
    let copy = client.copy_out("copy numbers to stdout").await.unwrap();
    let bytes: Vec<_> = copy.try_collect().await.unwrap();
    assert_eq!(bytes.len(), 200);
    client.batch_execute("notify rows, 'told'").await.unwrap();
    let told: Vec<String> = notified.take(1).collect().await;
    assert_eq!(told, ["told"]);
    let again = client.execute(&insert, &[&7_i64]).await.unwrap_err();
    assert!(
        again
            .as_db_error()
            .unwrap()
            .message()
            .contains("duplicate key")
    );
}

#[coro::test(tokio)] // glue
async fn tokio_postgres_connects_as_a_guest() {
    let Some(server) = Peer::postgres() else {
        return;
    };
    let config = format!(
        "host=127.0.0.1 port={} user=postgres",
        server.address.port()
    );
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    spawn(connection);
    let row = client.query_one("select 6 * 7", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 42);
}

#[coro::test(tokio)] // glue
async fn sqlx_queries_by_a_pool_and_in_a_transaction() {
    let Some(server) = Peer::postgres() else {
        return;
    };
    let url = format!("postgres://postgres@{}/postgres", server.address);
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(3);
    let pool = options.connect(&url).await.unwrap();
    sqlx::query("create table words (word text)")
        .execute(&pool)
        .await
        .unwrap();
    let queries = (0..20).map(|n| {
        let pool = pool.clone();
        async move {
            let query = sqlx::query("insert into words values ($1)").bind(format!("word {n}"));
            query.execute(&pool).await.unwrap().rows_affected()
        }
    });
    assert_eq!(gather(queries.collect::<Vec<_>>()).await, [1; 20]);
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query("delete from words")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from words")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(count, 20);
    pool.close().await;
}

#[coro::test(tokio)] // glue
async fn redis_connects_as_a_guest() {
    let Some(server) = Peer::redis() else {
        return;
    };
    let client = redis::Client::open(format!("redis://{}", server.address)).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let adds = (0..1000).map(|n| {
        let mut connection = connection.clone();
        async move { connection.incr("sum", n).await.unwrap() }
    });
    gather(adds.collect::<Vec<_>>()).await;
    let sum = connection.clone().get("sum").await.unwrap();
    assert_eq!(sum.unwrap(), "499500");
}

/// Over our own socket, without any runtime of tokio; so its response timeout, which takes tokio's
/// clock, is off.
#[coro::test(real)]
async fn redis_multiplexes_over_our_socket() {
    let Some(server) = Peer::redis() else {
        return;
    };
    let stream = OnLoop::new(TcpStream::connect(server.address).await.unwrap()); // glue
    let info = redis::RedisConnectionInfo::default();
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None); // glue
    let made = redis::aio::MultiplexedConnection::new_with_config(&info, stream, config);
    let (mut connection, driver) = made.await.unwrap();
    spawn(driver);
    connection.set("key", "value").await.unwrap();
    let gets = (0..1000).map(|_| {
        let mut connection = connection.clone();
        async move { connection.get("key").await.unwrap().unwrap() }
    });
    let values = gather(gets.collect::<Vec<_>>()).await;
    assert!(values.iter().all(|value| value == "value"));
}
