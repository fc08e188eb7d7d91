#[coro::coroutine(box)]
fn depth(n: u32) -> u32 {
    match n {
        0 => 0,
        _ => coro::yield_from!(depth(n - 1)) + 1,
    }
}

fn main() {
    coro::run(depth(3));
}
