#[coro::main]
async fn main() {
    coro::spawn(|| println!("hello"));
}
