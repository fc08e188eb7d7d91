use coro::yield_;

fn main() {
    let numbers = coro::generator!(yields = u32, {
        yield_!(1);
        coro::yield_now().await;
    });
    numbers.into_iter().for_each(drop);
}
