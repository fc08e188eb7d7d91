use coro::yield_;

#[coro::coroutine(yields = &'static str)]
fn leaks() {
    let local = String::from("local");
    yield_!(&local);
}

fn main() {
    leaks().into_iter().for_each(drop);
}
