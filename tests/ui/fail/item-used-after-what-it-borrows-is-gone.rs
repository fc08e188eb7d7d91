use coro::yield_;

#[coro::coroutine(yields = &'a str)]
fn words<'a>(text: &'a str) {
    yield_!(text);
}

fn main() {
    let text = String::from("text");
    let item = words(&text).into_iter().next();
    drop(text);
    println!("{item:?}");
}
