#[coro::coroutines]
mod module {
    macro_rules! pass {
        ($($tokens:tt)*) => { $($tokens)* };
    }

    pass!(
        #[coroutine]
        pub fn count() -> u32 {
            coro::yield_from!(std::future::ready(1))
        }
    );
}

fn main() {}
