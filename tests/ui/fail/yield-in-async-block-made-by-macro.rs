use coro::yield_;

macro_rules! later {
    ($e:expr) => {
        async { $e }
    };
}

#[coro::coroutine(yields = u32)]
async fn numbers() {
    later!(yield_!(1)).await
}

fn main() {}
