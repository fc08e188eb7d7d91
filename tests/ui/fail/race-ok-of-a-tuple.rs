async fn one() -> Result<u32, String> {
    Ok(1)
}

#[coro::main]
async fn main() {
    coro::group::race_ok((one(), one())).await.unwrap();
}
