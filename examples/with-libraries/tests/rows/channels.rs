//! Channels and locks of others: tokio::sync, tokio-util, tokio-stream, async-channel, flume,
//! async-lock.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use coro::net::TcpStream;
use coro::{gather, sleep, spawn, yield_now};
use futures::{SinkExt, StreamExt};
use tokio_util::codec::{Framed, LinesCodec};

use crate::http::ms;

#[coro::test]
async fn tokio_sync_works_between_tasks_under_a_virtual_clock() {
    let (send, mut receive) = tokio::sync::mpsc::channel(2);
    let sending = spawn(async move {
        for n in 0..10 {
            send.send(Rc::new(n)).await.unwrap();
            sleep(ms(1000)).await;
        }
    });
    let mut sum = 0;
    while let Some(n) = receive.recv().await {
        sum += *n;
    }
    assert_eq!(sum, 45);
    sending.await.unwrap();

    let lock = tokio::sync::Mutex::new(0);
    let add = async |_: usize| {
        let mut number = lock.lock().await;
        let before = *number;
        yield_now().await;
        *number = before + 1;
    };
    gather((0..10).map(add).collect::<Vec<_>>()).await;
    assert_eq!(lock.into_inner(), 10);

    let (watched, mut watching) = tokio::sync::watch::channel(0);
    let changed = spawn(async move {
        watching.changed().await.unwrap();
        *watching.borrow()
    });
    yield_now().await;
    watched.send(7).unwrap();
    assert_eq!(changed.await.unwrap(), 7);

    let notify = Rc::new(tokio::sync::Notify::new());
    let (tell, told) = tokio::sync::oneshot::channel();
    let notified = notify.clone();
    spawn(async move {
        notified.notified().await;
        tell.send("told").unwrap();
    });
    yield_now().await;
    notify.notify_one();
    assert_eq!(told.await, Ok("told"));
}

#[coro::test(real)]
async fn channels_of_others_pass_items_from_threads() {
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    let mut by_tokio = tokio_stream::wrappers::UnboundedReceiverStream::new(receive);
    let (to_channel, by_channel) = async_channel::bounded(1);
    let (to_flume, by_flume) = flume::bounded(1);
    let thread = thread::spawn(move || {
        for n in 0..100 {
            send.send(n).unwrap();
            to_channel.send_blocking(n).unwrap();
            to_flume.send(n).unwrap();
        }
    });
    let sum = async |mut stream: std::pin::Pin<Box<dyn futures::Stream<Item = i32>>>| {
        let mut sum = 0;
        while let Some(n) = stream.next().await {
            sum += n;
        }
        sum
    };
    let sums = gather((
        async {
            let mut sum = 0;
            while let Some(n) = by_tokio.next().await {
                sum += n;
            }
            sum
        },
        sum(Box::pin(by_channel)),
        sum(Box::pin(by_flume.into_stream())),
    ));
    assert_eq!(sums.await, (4950, 4950, 4950));
    thread.join().unwrap();
}

#[coro::test]
async fn async_lock_serves_tasks_of_the_loop() {
    let lock = Arc::new(async_lock::RwLock::new(Vec::new()));
    let write = |n: u64| {
        let lock = lock.clone();
        async move {
            let mut list = lock.write().await;
            sleep(ms(10 - n)).await;
            list.push(n);
        }
    };
    gather((0..5).map(write).collect::<Vec<_>>()).await;
    let mut list = lock.read().await.clone();
    list.sort_unstable();
    assert_eq!(list, [0, 1, 2, 3, 4]);
}

/// The streams of coro have the traits of tokio.
#[coro::test(real)]
async fn a_codec_of_tokio_util_frames_our_stream() {
    let listener = coro::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut lines = Framed::new(stream, LinesCodec::new());
        while let Some(Ok(line)) = lines.next().await {
            lines.send(line.to_uppercase()).await.unwrap();
        }
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let mut lines = Framed::new(stream, LinesCodec::new());
    for line in ["one", "two"] {
        lines.send(line).await.unwrap();
        assert_eq!(lines.next().await.unwrap().unwrap(), line.to_uppercase());
    }
    drop(lines);
    serving.await.unwrap();
}
