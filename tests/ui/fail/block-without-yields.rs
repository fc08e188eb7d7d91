use coro::yield_;

fn main() {
    let numbers = coro::generator!({
        yield_!(1);
    });
    numbers.into_iter().for_each(drop);
}
