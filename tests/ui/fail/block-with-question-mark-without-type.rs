use coro::yield_;

fn main() {
    let numbers = coro::generator!(yields = u32, {
        yield_!("1".parse()?);
        Ok(())
    });
    numbers.try_iter().for_each(drop);
}
