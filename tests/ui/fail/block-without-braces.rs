fn main() {
    let numbers = coro::generator!(yields = u32, || 1);
    drop(numbers);
}
