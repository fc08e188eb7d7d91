//! `FuturesUnordered` of the futures crate: no loop, but often used as one.

use futures::StreamExt;
use futures::stream::FuturesUnordered;

pub(crate) const NAME: &str = "FuturesUnordered";

/// Runs until all tasks are done.
pub(crate) fn drain<F: Future>(tasks: &mut FuturesUnordered<F>) {
    futures::executor::block_on(async { while tasks.next().await.is_some() {} });
}
