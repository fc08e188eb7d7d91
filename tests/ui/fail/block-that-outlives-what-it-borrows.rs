use coro::yield_;

fn numbers(limit: u32) -> impl Iterator<Item = u32> {
    let numbers = coro::generator!(yields = u32, {
        for n in 0..limit {
            yield_!(n);
        }
    });
    numbers.into_iter()
}

fn main() {
    numbers(3).for_each(drop);
}
