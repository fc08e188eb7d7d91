use coro::yield_;

fn main() {
    let numbers = coro::generator!(yields = u32, {
        (0..3).for_each(|n| yield_!(n));
    });
    numbers.into_iter().for_each(drop);
}
