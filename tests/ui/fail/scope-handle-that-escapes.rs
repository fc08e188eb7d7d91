fn main() {
    let data = vec![1];
    let _ = coro::run(coro::scope(async |s| s.spawn(async { data.len() })));
}
