#![deny(unsafe_op_in_unsafe_fn)]

/// # Safety
///
/// `x` must point to a number.
#[coro::coroutine(boxed)]
pub unsafe fn read(x: *const u32) -> u32 {
    *x
}

fn main() {}
