//! Work on threads by others: async-fs, blocking, rayon.

use coro::sync::remote::oneshot;
use coro::threads::to_thread;
use futures::io::{AsyncBufReadExt, BufReader};
use futures::{AsyncWriteExt, StreamExt};
use rayon::prelude::*;

use crate::peers;

#[coro::test(real)]
async fn async_fs_writes_and_reads_lines() {
    let path = peers::directory().join("lines");
    let mut file = async_fs::File::create(&path).await.unwrap();
    file.write_all(b"one\ntwo\n").await.unwrap();
    file.flush().await.unwrap();
    let lines = BufReader::new(async_fs::File::open(&path).await.unwrap()).lines();
    let lines: Vec<String> = lines.map(Result::unwrap).collect().await;
    assert_eq!(lines, ["one", "two"]);
}

#[coro::test(real)]
async fn blocking_unblocks_calls() {
    assert_eq!(blocking::unblock(|| 6 * 7).await, 42);
}

#[coro::test(real)]
async fn rayon_computes_in_a_job_or_beside_the_loop() {
    let sum = || (0..100_000_u64).into_par_iter().map(|n| n % 7).sum::<u64>();
    assert_eq!(to_thread(sum).await.unwrap(), 299_995); // glue
    let (tell, told) = oneshot::channel(); // glue
    rayon::spawn(move || tell.send(sum()).unwrap());
    assert_eq!(told.await.unwrap(), 299_995);
}
