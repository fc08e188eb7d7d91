fn main() {
    let mut escaped = None;
    let _ = coro::scope(async |s| escaped = Some(s));
}
