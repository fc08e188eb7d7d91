use coro::yield_from;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!(1u32);
}

fn main() {}
