#[coro::coroutine(resumes = u32)]
pub fn work() {}

fn main() {}
