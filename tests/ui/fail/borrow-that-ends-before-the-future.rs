#[coro::coroutine]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let future = {
        let text = String::new();
        length(&text)
    };
    drop(future);
}
