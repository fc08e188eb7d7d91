#[coro::coroutine(boxed)]
fn name() -> String {
    5
}

fn main() {}
