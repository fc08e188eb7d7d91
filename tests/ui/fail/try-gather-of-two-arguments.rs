async fn one() -> Result<u32, String> {
    Ok(1)
}

#[coro::main]
async fn main() {
    coro::try_gather(one(), one()).await.unwrap();
}
