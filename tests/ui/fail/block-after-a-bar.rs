use coro::yield_;

fn main() {
    let numbers = coro::generator!(yields = u32, |_start: u32| {
        yield_!(1);
    });
    drop(numbers);
}
