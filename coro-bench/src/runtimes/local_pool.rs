//! `LocalPool` of the futures crate.

use std::cell::RefCell;

use futures::executor::{LocalPool as Pool, LocalSpawner};
use futures::future::RemoteHandle;
use futures::task::LocalSpawnExt;

use super::Runtime;

pub(crate) struct LocalPool;

thread_local! {
    static CURRENT: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
}

fn with_spawner<T>(f: impl FnOnce(&LocalSpawner) -> T) -> T {
    CURRENT.with_borrow(|spawner| f(spawner.as_ref().expect("only called inside of the pool")))
}

impl Runtime for LocalPool {
    const NAME: &'static str = "futures LocalPool";

    type Join<T: 'static> = RemoteHandle<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let mut pool = Pool::new();
        CURRENT.set(Some(pool.spawner()));
        Ok(pool.run_until(main))
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        with_spawner(|spawner| spawner.spawn_local_with_handle(task)).expect("the pool is running")
    }

    fn detach(task: impl Future<Output = ()> + 'static) {
        with_spawner(|spawner| spawner.spawn_local(task)).expect("the pool is running");
    }
}
