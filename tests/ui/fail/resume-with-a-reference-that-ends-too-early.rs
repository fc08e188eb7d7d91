use coro::{Coroutine, yield_};

#[coro::coroutine(yields = (), resumes = &'static str)]
fn keeps() {
    let kept = yield_!();
    yield_!();
    println!("{kept}");
}

fn main() {
    let mut keeps = Box::pin(keeps());
    _ = keeps.as_mut().start();
    {
        let text = String::from("text");
        _ = keeps.as_mut().resume(&text);
    }
    _ = keeps.as_mut().resume("");
}
