//! First signs of life.
use coro_core::generator::{Coroutine, CoroutineState};
use coro_core::macro_support::*;
macro_rules! body { ($co:ident, $d:tt, $($b:tt)*) => { 'yield_inside: {
    #[allow(unused_macros)]
    macro_rules! y { ($d e:expr) => { { #[allow(unreachable_code)] if false { break 'yield_inside (loop {}) } yield_in($co.token(), $d e, &mut $co).await } } }
    #[allow(unused_macros)]
    macro_rules! yf { ($d e:expr) => { { #[allow(unreachable_code)] if false { break 'yield_inside (loop {}) } delegate($co.token(), $d e.__operand(), &mut $co).await } } }
    $($b)* } } }
fn count(n: u32) -> Generator<u32, (), impl Future<Output = u32>> {
    generator(|mut co: Co<u32, ()>| async move { body!(co, $, for i in 0..n { y!(i) } n) })
}
fn twice(n: u32) -> Generator<u32, (), impl Future<Output = ()>> {
    generator(|mut co: Co<u32, ()>| async move {
        body!(co, $, let a = yf!(count(n)); yf!(count(a)); yf!(0..2u32); yf!(vec![7u32].into_iter()); )
    })
}
fn deep(n: u32) -> BoxGenerator<'static, u32, (), u32> {
    generator_boxed(move |mut co: Co<u32, ()>| async move {
        body!(co, $, y!(n); if n > 0 { let d = yf!(deep(n - 1)); y!(n); d + 1 } else { 1 })
    })
}
fn root(n: u32) -> Generator<u32, (), impl Future<Output = ()>> {
    generator(
        move |mut co: Co<u32, ()>| async move { body!(co, $, let d = yf!(deep(n)); y!(100 + d) ) },
    )
}
#[test]
fn alive() {
    assert_eq!(
        twice(3).into_iter().collect::<Vec<_>>(),
        [0, 1, 2, 0, 1, 2, 0, 1, 7]
    );
    assert_eq!(
        root(3).into_iter().collect::<Vec<_>>(),
        [3, 2, 1, 0, 1, 2, 3, 104]
    );
    let mut d = deep(2);
    let mut d = std::pin::Pin::new(&mut d);
    let mut v = vec![];
    loop {
        match d.as_mut().resume(()) {
            CoroutineState::Yielded(y) => v.push(y),
            CoroutineState::Complete(t) => {
                assert_eq!(t, 3);
                break;
            }
        }
    }
    assert_eq!(v, [2, 1, 0, 1, 2]);
    let big = deep(200_000);
    let mut big = big;
    assert_eq!(std::pin::Pin::new(&mut big).iter().count(), 400_001);
    let mut big = deep(200_000);
    assert_eq!(
        std::pin::Pin::new(&mut big).iter().take(150_000).count(),
        150_000
    );
    drop(big);
}
