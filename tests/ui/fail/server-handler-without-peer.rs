use coro::net::{TcpStream, start_server};

#[coro::main]
async fn main() -> std::io::Result<()> {
    let server = start_server("localhost:0", async |_stream: TcpStream| {})?;
    server.serve_forever().await
}
