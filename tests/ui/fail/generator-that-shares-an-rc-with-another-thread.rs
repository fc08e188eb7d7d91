use std::rc::Rc;

use coro::yield_;

#[coro::coroutine(yields = Rc<u32>)]
fn generator() {
    let shared = Rc::new(1);
    yield_!(shared.clone());
    yield_!(shared);
}

fn main() {
    let mut generator = Box::pin(generator());
    std::thread::spawn(move || generator.as_mut().iter().count());
}
