#[coro::coroutine]
fn name() -> String {
    5
}

fn main() {}
