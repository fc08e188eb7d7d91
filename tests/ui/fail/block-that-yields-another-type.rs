use coro::yield_;

fn main() {
    let numbers = coro::generator!(yields = u32, {
        yield_!("one");
    });
    numbers.into_iter().for_each(drop);
}
