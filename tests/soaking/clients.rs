//! Clients that end well or badly, with servers that do so, too.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::net::tls::rustls::pki_types::PrivateKeyDer;
use coro::net::tls::{TlsAcceptor, TlsConnector};
use coro::net::{TcpListener, TcpStream};
use coro::{Task, sleep, spawn, timeout};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::random::Random;

const BYTES_MAX: u64 = 40_000;
/// The first byte of a conversation: the server sends all bytes back, or may cut it short.
const WHOLE: u8 = 1;
const CUT: u8 = 0;
/// A client that takes longer has lost its wake-up.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Servers {
    tcp: SocketAddr,
    tls: SocketAddr,
    connector: TlsConnector,
    tasks: [Task<()>; 2],
    /// The number of connections that they serve now.
    open: Rc<Cell<usize>>,
}

/// One connection that is served.
struct Open(Rc<Cell<usize>>);

impl Open {
    fn new(open: &Rc<Cell<usize>>) -> Self {
        open.set(open.get() + 1);
        Open(open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Servers {
    pub(crate) fn start(random: &Rc<Random>) -> Self {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let chain = vec![identity.cert.der().clone()];
        let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
        let acceptor = TlsAcceptor::new(chain.clone(), key).unwrap();
        let connector = TlsConnector::builder().root_certificates(chain);
        let open = Rc::<Cell<usize>>::default();

        let (tcp, plain) = accept(&open, {
            let random = random.clone();
            async move |stream| serve(stream, &random).await
        });
        let (tls, over_tls) = accept(&open, {
            let random = random.clone();
            async move |stream| serve(acceptor.accept(stream).await?, &random).await
        });
        Servers {
            tcp,
            tls,
            connector: connector.build().unwrap(),
            tasks: [plain, over_tls],
            open,
        }
    }

    /// Stops listening, and waits until the last connection has gone.
    pub(crate) async fn end(self, patience: Duration) {
        for task in &self.tasks {
            task.cancel();
        }
        let give_up = Instant::now() + patience;
        while self.open.get() > 0 && Instant::now() < give_up {
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(self.open.get(), 0, "connections are served for ever");
    }
}

/// Serves each connection in a task of its own. The client checks the outcome.
fn accept(
    open: &Rc<Cell<usize>>,
    serve: impl AsyncFn(TcpStream) -> io::Result<()> + 'static,
) -> (SocketAddr, Task<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (open, serve) = (open.clone(), Rc::new(serve));
    let task = spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (open, serve) = (Open::new(&open), serve.clone());
            spawn(async move {
                let _open = open;
                let _ = serve(stream).await;
            });
        }
    });
    (address, task)
}

/// Sends back all received bytes. If the client allows it, the server may end before that.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    random: &Random,
) -> io::Result<()> {
    let mut first = [0];
    stream.read_exact(&mut first).await?;
    let mut buffer = vec![0; 4096];
    loop {
        if first[0] == CUT && random.one_in(3) {
            return Ok(());
        }
        let len = stream.read(&mut buffer).await?;
        if len == 0 {
            return stream.close().await;
        }
        stream.write_all(&buffer[..len]).await?;
        stream.flush().await?;
    }
}

/// Has a conversation to its end. Returns whether the server was to stay until the client's end.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    random: &Random,
) -> io::Result<bool> {
    let first = if random.one_in(4) { CUT } else { WHOLE };
    let sent = random.bytes(BYTES_MAX);
    let mut received = vec![0; sent.len()];
    let outcome = async {
        stream.write_all(&[first]).await?;
        for part in sent.chunks(4096) {
            stream.write_all(part).await?;
            stream.flush().await?;
            let start = part.as_ptr() as usize - sent.as_ptr() as usize;
            stream
                .read_exact(&mut received[start..start + part.len()])
                .await?;
            assert_eq!(
                &received[start..start + part.len()],
                part,
                "an echo is the same"
            );
        }
        io::Result::Ok(())
    }
    .await;
    assert!(outcome.is_ok() || first == CUT, "{outcome:?}");
    outcome.map(|()| first == WHOLE)
}

/// Runs the client as a task, which is cancelled at random.
async fn perhaps_cancelled(random: &Random, client: impl Future<Output = ()> + 'static) {
    let task = spawn(async move { timeout(PATIENCE, client).await.expect("a wake-up was lost") });
    if random.one_in(5) {
        sleep(random.micros(3000)).await;
        task.cancel();
    }
    if let Err(error) = task.await {
        assert!(error.is_cancelled(), "{error}");
    }
}

/// A client over TCP, which then half-closes, resets, or is dropped.
pub(crate) fn tcp(servers: &Servers) -> impl AsyncFn(&Random) + use<> {
    let address = servers.tcp;
    async move |random| {
        let own = Random::new(random.below(u64::MAX));
        let client = async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if own.one_in(8) {
                return; // without a word
            }
            let Ok(whole) = talk(&mut stream, &own).await else {
                return;
            };
            match own.below(3) {
                0 if whole => {
                    stream.close().await.unwrap();
                    let mut rest = Vec::new();
                    stream.read_to_end(&mut rest).await.unwrap();
                    assert!(rest.is_empty());
                }
                1 => stream.set_linger(Some(Duration::ZERO)).unwrap(),
                _ => {}
            }
        };
        perhaps_cancelled(random, client).await;
    }
}

/// A client over TLS, which then closes or is dropped.
pub(crate) fn tls(servers: &Servers) -> impl AsyncFn(&Random) + use<> {
    let (address, connector) = (servers.tls, servers.connector.clone());
    async move |random| {
        let own = Random::new(random.below(u64::MAX));
        let connector = connector.clone();
        let client = async move {
            let stream = TcpStream::connect(address).await.unwrap();
            if own.one_in(8) {
                return; // without a handshake
            }
            let mut stream = connector.connect("localhost", stream).await.unwrap();
            let Ok(whole) = talk(&mut stream, &own).await else {
                return;
            };
            if own.one_in(2) {
                let closed = stream.close().await;
                assert!(closed.is_ok() || !whole, "{closed:?}");
            }
        };
        perhaps_cancelled(random, client).await;
    }
}
