//! async-task on a bare queue: an optimised task with the smallest possible loop.

use std::cell::RefCell;
use std::collections::VecDeque;

use async_task::{Runnable, Task};

use super::Runtime;

pub(crate) struct AsyncTask;

thread_local! {
    static READY: RefCell<VecDeque<Runnable>> = const { RefCell::new(VecDeque::new()) };
}

fn schedule(task: Runnable) {
    READY.with_borrow_mut(|ready| ready.push_back(task));
}

impl Runtime for AsyncTask {
    const NAME: &'static str = "async-task, bare queue";

    type Join<T: 'static> = Task<T>;

    fn run<T: 'static>(main: impl Future<Output = T> + 'static) -> Result<T, String> {
        let main = Self::spawn(main);
        while let Some(task) = READY.with_borrow_mut(VecDeque::pop_front) {
            task.run();
        }
        match main.is_finished() {
            true => Ok(futures::executor::block_on(main)),
            false => Err("the queue ran dry, and it has nothing to wait on".to_owned()),
        }
    }

    fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Self::Join<T> {
        let (runnable, task) = async_task::spawn_local(task, schedule);
        runnable.schedule();
        task
    }

    fn detach(task: impl Future<Output = ()> + 'static) {
        Self::spawn(task).detach();
    }
}
