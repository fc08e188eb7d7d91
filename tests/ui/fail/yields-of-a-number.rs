#[coro::coroutine(yields = 5)]
fn numbers() {
    coro::yield_!(1);
}

fn main() {
    numbers().into_iter().for_each(drop);
}
