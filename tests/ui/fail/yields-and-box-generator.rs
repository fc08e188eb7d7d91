use coro::yield_;

#[coro::coroutine(yields = u32, boxed)]
fn numbers() -> coro::generator::BoxGenerator<'static, u32> {
    yield_!(1);
}

fn main() {
    numbers().for_each(drop);
}
