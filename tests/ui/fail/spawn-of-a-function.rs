async fn work() {}

#[coro::main]
async fn main() {
    coro::spawn(work);
}
