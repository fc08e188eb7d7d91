fn main() {
    let scope = {
        let data = vec![1];
        coro::scope(async |s| s.spawn(async { println!("{data:?}") }).await)
    };
    coro::run(scope);
}
