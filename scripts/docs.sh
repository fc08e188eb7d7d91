#!/usr/bin/env bash
# Counts the gaps of the documentation: public functions without an example, words of other libraries
# that the search does not find, pages that are more than two clicks from the front page. Fails if
# there is a gap. Needs python3.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo doc --quiet --no-deps --all-features -p coro-rs -p coro-rs-core -p coro-rs-macros
python3 - target/doc/coro <<'PYTHON'
import os
import re
import sys

ROOT = sys.argv[1]
# Words that users of asyncio, of tokio and of other libraries type into the search.
WORDS = """
create_task ensure_future spawn_local JoinHandle AbortHandle abort block_on Runtime LocalSet
new_event_loop get_running_loop get_event_loop call_soon_threadsafe run_coroutine_threadsafe
wait_for timeout move_on_after delay sleep_secs now Instant TimeoutError CancelledError
join join_all try_join select select_all select_ok FIRST_COMPLETED FuturesUnordered buffer_unordered
JoinSet TaskTracker nursery CancellationToken ExceptionGroup backoff
Mutex Notify Condvar BoundedSemaphore OnceLock mpsc oneshot watch broadcast Queue
spawn_blocking ThreadPoolExecutor run_in_executor getaddrinfo StreamWriter StreamReader
create_subprocess_exec create_subprocess_shell Popen ContextVar task_local
stream! try_stream! async_trait async_recursion start_paused advance StopIteration
AsyncReadExt AsyncWriteExt StreamExt BufReader
""".split()


def pages(folder):
    for path, _, files in os.walk(folder):
        if "/rustls" not in path:
            yield from (os.path.join(path, name) for name in files if name.endswith(".html"))


def text(page):
    with open(page, encoding="utf-8") as file:
        return file.read()


def without_example():
    functions = [page for page in pages(ROOT) if os.path.basename(page).startswith("fn.")]
    return [page for page in functions if "rust-example-rendered" not in text(page)]


def not_found():
    sources = [
        os.path.join(path, name)
        for folder in ("src", "coro-core/src", "coro-macros/src")
        for path, _, files in os.walk(folder)
        for name in files
    ]
    attributes = [re.findall(r"#\[doc\(alias(.*?)\)\]", text(source), re.S) for source in sources]
    found = set(re.findall(r'"(.*?)"', str(attributes).replace("\\n", " ")))
    names = {os.path.basename(page).split(".")[-2] for page in pages(ROOT)}
    modules = {os.path.basename(path) for path, _, _ in os.walk(ROOT)}
    return [word for word in WORDS if word not in found | names | modules]


def links(page):
    folder = os.path.dirname(page)
    hrefs = re.findall(r'href="([^"#:]+\.html)', text(page))
    return {os.path.normpath(os.path.join(folder, href)) for href in hrefs}


def far():
    front = os.path.join(ROOT, "index.html")
    near = {front} | links(front)
    for page in list(near):
        if os.path.exists(page) and not page.endswith("all.html"):
            near |= links(page)
    is_redirect = lambda page: "http-equiv=\"refresh\"" in text(page)
    return [page for page in pages(ROOT) if page not in near and not is_redirect(page)]


gaps = 0
for title, missing in [
    ("public functions without an example", without_example()),
    ("words that the search does not find", not_found()),
    ("pages more than two clicks from the front page", far()),
]:
    print(f"{title}: {len(missing)}")
    for one in sorted(missing):
        print(f"    {one}")
    gaps += len(missing)
sys.exit(gaps > 0)
PYTHON
