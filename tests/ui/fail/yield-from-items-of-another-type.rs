use coro::yield_from;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!("one two".split(' '));
}

fn main() {}
