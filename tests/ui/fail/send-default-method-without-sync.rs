use coro::yield_from;
use std::future::ready;

pub trait Read {
    #[coro::coroutine(send)]
    fn read(&self) -> u32 {
        yield_from!(ready(()));
        1
    }
}

fn main() {}
