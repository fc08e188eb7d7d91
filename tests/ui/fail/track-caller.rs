#[coro::coroutine]
#[track_caller]
fn located() {}

fn main() {}
