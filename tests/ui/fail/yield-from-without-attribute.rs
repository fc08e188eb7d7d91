use coro::yield_from;

fn sum() -> u32 {
    yield_from!(std::future::ready(1))
}

fn main() {}
