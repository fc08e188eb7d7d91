//! tracing: spans of coroutines, as a real subscriber writes them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use coro::{gather, sleep, yield_from};
use tracing::info;
use tracing_subscriber::fmt::MakeWriter;

use crate::http::ms;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

/// The log of `f`, a line for each event.
fn logged(f: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(false)
        .with_level(false)
        .with_target(false)
        .without_time()
        .finish();
    tracing::subscriber::with_default(subscriber, f);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[coro::coroutine]
#[tracing::instrument]
fn plain(n: u64) {
    info!("in");
    yield_from!(sleep(ms(n)));
    info!("out");
}

#[coro::coroutine]
#[tracing::instrument]
async fn with_async(n: u64) {
    info!("in");
    sleep(ms(n)).await;
    yield_from!(sleep(ms(n)));
    info!("out");
}

#[tracing::instrument]
#[coro::coroutine]
async fn above_an_async_fn_without_macros(n: u64) {
    info!("in");
    sleep(ms(n)).await;
    info!("out");
}

/// Awaits two coroutines together.
fn both<F: Future<Output = ()>>((one, two): (F, F)) {
    let ((), ()) = coro::run(gather((one, two)));
}

fn expected(name: &str) -> [String; 4] {
    ["1}: in", "2}: in", "1}: out", "2}: out"].map(|rest| format!("{name}{{n={rest}"))
}

#[test]
fn an_instrumented_coroutine_enters_its_span_at_each_poll() {
    let lines = logged(|| both((plain(1), plain(2))));
    assert_eq!(lines, expected("plain"));
    let lines = logged(|| both((with_async(1), with_async(2))));
    assert_eq!(lines, expected("with_async"));
    let above = above_an_async_fn_without_macros;
    let lines = logged(|| both((above(1), above(2))));
    assert_eq!(lines, expected("above_an_async_fn_without_macros"));
}

#[test]
fn a_method_and_a_boxed_coroutine_are_instrumented() {
    struct Counter(u32);

    #[coro::coroutines]
    impl Counter {
        #[coroutine(boxed)]
        #[tracing::instrument(skip(self), fields(count = self.0))]
        fn next(&mut self) -> u32 {
            yield_from!(sleep(ms(1)));
            info!("counts");
            self.0 += 1;
            self.0
        }
    }

    let lines = logged(|| assert_eq!(coro::run(Counter(6).next()), 7));
    assert_eq!(lines, ["next{count=6}: counts"]);
}

#[test]
fn a_span_around_a_loop_is_entered_for_all_its_tasks() {
    let around = || {
        let span = tracing::info_span!("app");
        let builder = coro::EventLoop::builder().around(move || span.clone().entered());
        let mut event_loop = builder.build().unwrap();
        let main = async { coro::spawn(async { info!("a task") }).await };
        event_loop.run_until_complete(main).unwrap().unwrap();
        info!("outside");
    };
    assert_eq!(logged(around), ["app: a task", "outside"]);
}
