use coro::yield_;

fn main() {
    let numbers = coro::generator!(yield = u32, async move {
        yield_!(1);
    });
    drop(numbers);
}
