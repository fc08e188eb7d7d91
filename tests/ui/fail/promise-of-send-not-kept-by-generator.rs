use coro::yield_;
use std::rc::Rc;

#[coro::coroutine(yields = u32, send)]
fn hold() {
    let shared = Rc::new(1);
    yield_!(1);
    drop(shared);
}

fn main() {}
