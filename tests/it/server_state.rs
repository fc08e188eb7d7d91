//! Handlers of servers that have state.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use coro::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use coro::net::{Server, TcpStream, open_connection, start_server};

async fn ask(server: &Server, line: &str) -> io::Result<String> {
    let mut stream = open_connection("localhost", server.local_addr()?.port()).await?;
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(answer)
}

#[coro::test(real)]
async fn an_async_closure_that_captures_is_a_handler() -> io::Result<()> {
    let counter = Rc::new(Cell::new(0));
    let counted = counter.clone();
    let server = start_server("localhost:0", async move |mut stream: TcpStream, _peer| {
        counted.set(counted.get() + 1);
        let answer = format!("{}\n", counted.get());
        stream.write_all(answer.as_bytes()).await
    })?;
    assert_eq!(ask(&server, "").await?, "1\n");
    assert_eq!(ask(&server, "").await?, "2\n");
    assert_eq!(counter.get(), 2);
    Ok(())
}

#[coro::test(real)]
async fn a_closure_that_gives_a_future_and_a_function_are_handlers() -> io::Result<()> {
    async fn echo(mut stream: TcpStream, _peer: std::net::SocketAddr) -> io::Result<()> {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        stream.write_all(&[byte[0], b'\n']).await
    }
    let server = start_server("localhost:0", echo)?;
    assert_eq!(ask(&server, "a").await?, "a\n");

    let shared = Rc::new(RefCell::new(BTreeMap::new()));
    let server = start_server("localhost:0", move |mut stream: TcpStream, peer| {
        let shared = shared.clone();
        async move {
            shared.borrow_mut().insert(peer, ());
            let answer = format!("{}\n", shared.borrow().len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })?;
    assert_eq!(ask(&server, "").await?, "1\n");
    Ok(())
}

#[cfg(unix)]
#[coro::test(real)]
async fn handlers_of_unix_servers_and_of_builders_may_capture_too() -> io::Result<()> {
    use coro::net::{UnixStream, start_unix_server};

    let folder = std::env::temp_dir().join(format!("coro-state-{}", std::process::id()));
    let greeting = "hello\n".to_owned();
    let _server = start_unix_server(&folder, async move |mut stream: UnixStream, _peer| {
        stream.write_all(greeting.as_bytes()).await
    })?;
    let mut answer = String::new();
    let stream = UnixStream::connect(&folder).await?;
    BufReader::new(stream).read_line(&mut answer).await?;
    assert_eq!(answer, "hello\n");

    let greeting = "welcome\n".to_owned();
    let server = Server::builder()
        .max_connections(2)
        .start("localhost:0", async move |mut stream: TcpStream, _peer| {
            stream.write_all(greeting.as_bytes()).await
        })?;
    assert_eq!(ask(&server, "").await?, "welcome\n");
    Ok(())
}
