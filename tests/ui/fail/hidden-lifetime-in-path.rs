struct Words<'a>(&'a str);

#[coro::coroutine]
fn count(words: Words) -> usize {
    words.0.split(' ').count()
}

fn main() {}
