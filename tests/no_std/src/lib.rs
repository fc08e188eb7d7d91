//! Generators without std; with the feature `alloc` also boxed ones.
#![no_std]

use core::future::ready;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use coro::generator::AsyncCoroutine;
use coro::{Coroutine, CoroutineState, yield_, yield_from};

#[coro::coroutine(yields = u32)]
fn count(to: u32) {
    yield_from!(0..to);
}

#[coro::coroutine(yields = u32, resumes = u32)]
fn echo() -> u32 {
    yield_!(yield_!(0))
}

#[coro::coroutine(yields = u32)]
async fn waits() {
    yield_!(yield_from!(ready(1)));
    yield_from!(count(3));
}

#[unsafe(no_mangle)]
extern "C" fn no_std() -> u32 {
    let mut echo = pin!(echo());
    let mut sum = match echo.as_mut().start() {
        CoroutineState::Yielded(n) => n,
        CoroutineState::Complete(n) => n,
    };
    let mut waits = pin!(waits());
    let cx = &mut Context::from_waker(Waker::noop());
    if let Poll::Ready(CoroutineState::Yielded(n)) = waits.as_mut().poll_resume(cx, &mut None) {
        sum += n;
    }
    sum + pin!(count(3)).iter().sum::<u32>()
}

#[cfg(feature = "alloc")]
mod with_alloc {
    use core::alloc::{GlobalAlloc, Layout};
    use core::ptr::null_mut;

    use coro::yield_from;

    #[coro::coroutine(yields = u32, boxed)]
    fn deep(n: u32) {
        yield_from!(n..n + 1);
        yield_from!(deep(n + 1));
    }

    #[unsafe(no_mangle)]
    extern "C" fn no_std_with_alloc() -> u32 {
        deep(0).take(9).sum()
    }

    struct Nothing;

    // SAFETY: a null pointer means that no memory was allocated, so none has to be freed.
    unsafe impl GlobalAlloc for Nothing {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static NOTHING: Nothing = Nothing;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
