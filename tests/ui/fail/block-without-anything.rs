fn main() {
    let numbers = coro::generator!();
    drop(numbers);
}
