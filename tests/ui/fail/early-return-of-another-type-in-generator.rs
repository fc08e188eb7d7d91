#[coro::coroutine(yields = u32)]
fn name(short: bool) -> String {
    if short {
        return 5;
    }
    String::new()
}

fn main() {}
