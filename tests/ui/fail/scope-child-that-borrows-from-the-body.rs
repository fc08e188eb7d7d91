fn main() {
    let _ = coro::scope(async |s| {
        let local = 1;
        let child = s.spawn(async { println!("{local}") });
        child.await
    });
}
