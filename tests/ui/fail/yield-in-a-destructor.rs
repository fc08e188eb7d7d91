use coro::yield_;

#[coro::coroutine(yields = u32)]
fn generator() {
    struct Local;
    impl Drop for Local {
        fn drop(&mut self) {
            yield_!(2);
        }
    }
    let _local = Local;
    yield_!(1);
}

fn main() {
    drop(generator());
}
