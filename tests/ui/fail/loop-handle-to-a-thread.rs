#[coro::main]
async fn main() {
    let handle = coro::LoopHandle::current();
    std::thread::spawn(move || {
        handle.call_soon(|| println!("here"));
    });
}
