fn main() {
    coro::threads::ThreadPool::new(4);
}
