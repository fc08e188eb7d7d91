use coro::yield_from;
use std::future::ready;
use std::rc::Rc;

#[coro::coroutine]
fn hold() {
    let shared = Rc::new(1);
    yield_from!(ready(()));
    drop(shared);
}

fn main() {
    fn need_send(_: impl Send) {}
    need_send(hold());
}
