//! The sizes of futures whose awaits a dump can show: those of plain `async fn`s.

use std::future::poll_fn;
use std::task::Poll;

#[inline(never)]
async fn leaf() -> u32 {
    let mut waited = false;
    poll_fn(|_| match std::mem::replace(&mut waited, true) {
        true => Poll::Ready(7),
        false => Poll::Pending,
    })
    .await
}

macro_rules! chain {
    ($plain:ident, $shown:ident, $awaited:ident: $below_plain:ident, $below_shown:ident, $below_awaited:ident) => {
        async fn $plain() -> u32 {
            $below_plain().await + 1
        }

        #[coro::coroutine]
        async fn $shown() -> u32 {
            coro::yield_from!($below_shown()) + 1
        }

        #[coro::coroutine]
        async fn $awaited() -> u32 {
            $below_awaited().await + 1
        }
    };
}

chain!(plain_1, shown_1, awaited_1: leaf, leaf, leaf);
chain!(plain_2, shown_2, awaited_2: plain_1, shown_1, awaited_1);
chain!(plain_3, shown_3, awaited_3: plain_2, shown_2, awaited_2);
chain!(plain_4, shown_4, awaited_4: plain_3, shown_3, awaited_3);
chain!(plain_5, shown_5, awaited_5: plain_4, shown_4, awaited_4);
chain!(plain_6, shown_6, awaited_6: plain_5, shown_5, awaited_5);
chain!(plain_7, shown_7, awaited_7: plain_6, shown_6, awaited_6);
chain!(plain_8, shown_8, awaited_8: plain_7, shown_7, awaited_7);

#[test]
fn an_annotated_function_is_as_large_as_a_plain_one() {
    let plain = [size_of_val(&plain_1()), size_of_val(&plain_8())];
    let shown = [size_of_val(&shown_1()), size_of_val(&shown_8())];
    let awaited = [size_of_val(&awaited_1()), size_of_val(&awaited_8())];
    assert_eq!(shown, plain);
    assert_eq!(awaited, plain);
}
