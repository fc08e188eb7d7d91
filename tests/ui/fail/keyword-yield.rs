#[coro::coroutine(yields = u32)]
fn numbers() {
    yield 1;
}

fn main() {
    numbers().into_iter().for_each(drop);
}
