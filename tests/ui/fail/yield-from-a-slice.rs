use coro::yield_from;

#[coro::coroutine(yields = u32)]
fn numbers(all: &[u32]) {
    yield_from!(all);
}

fn main() {
    numbers(&[1]).into_iter().for_each(drop);
}
