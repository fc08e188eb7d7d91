use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() -> coro::Generator<u32, (), ()> {
    yield_!(1);
}

fn main() {
    numbers().into_iter().for_each(drop);
}
