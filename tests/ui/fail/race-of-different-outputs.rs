async fn number() -> u32 {
    1
}

async fn text() -> String {
    String::new()
}

#[coro::main]
async fn main() {
    coro::race((number(), text())).await;
}
