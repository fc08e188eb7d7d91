use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!(1);
}

fn all() -> impl Iterator<Item = u32> {
    numbers()
}

fn main() {
    all().for_each(drop);
}
