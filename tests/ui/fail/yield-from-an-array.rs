use coro::yield_from;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!([1, 2]);
}

fn main() {
    numbers().into_iter().for_each(drop);
}
