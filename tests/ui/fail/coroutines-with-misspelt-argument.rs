#[coro::coroutines(sned)]
mod work {
    #[coroutine]
    pub fn nothing() {}
}

fn main() {
    coro::run(work::nothing());
}
