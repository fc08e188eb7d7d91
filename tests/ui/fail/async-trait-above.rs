use coro::yield_from;
use std::future::{Future, ready};
use std::pin::Pin;

struct Reader;

// A method as #[async_trait] expands it.
impl Reader {
    #[coro::coroutine]
    fn read<'a>(&'a self) -> Pin<Box<dyn Future<Output = u32> + Send + 'a>> {
        Box::pin(async move { yield_from!(ready(1)) })
    }
}

fn main() {}
