#[coro::main]
async fn main() -> std::io::Result<()> {
    let mut stream = coro::net::open_connection("localhost", 80).await?;
    stream.write_all(b"hello").await
}
