#[coro::coroutine(yields = u32, resumes = u32)]
fn echo() {
    let mut x = yield 0;
    loop {
        x = yield x;
    }
}

fn main() {
    let _ = echo();
}
