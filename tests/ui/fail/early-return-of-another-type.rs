#[coro::coroutine]
fn name(short: bool) -> String {
    if short {
        return 5;
    }
    String::new()
}

fn main() {}
