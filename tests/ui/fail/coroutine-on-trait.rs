#[coro::coroutine]
pub trait Read {
    fn read(&self);
}

fn main() {}
