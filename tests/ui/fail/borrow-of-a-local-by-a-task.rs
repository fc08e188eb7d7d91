#[coro::coroutine]
fn shout(text: &str) -> String {
    text.to_uppercase()
}

#[coro::coroutine]
fn caller() {
    let text = String::from("hello");
    coro::spawn(shout(&text));
}

fn main() {}
