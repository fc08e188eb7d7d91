//! Checksums of all files in a tree, computed on threads beside the loop.
//!
//! ```text
//! $ cargo run -p coro-examples --example checksum -- src
//! 0c0f5d2b... (64 digits)  src/lib.rs
//! 1 files, 17893 bytes
//! ```
//!
//! Like `sha256sum`, it prints a line for each file, in the order of the paths. Its progress goes
//! to standard error. Ctrl-C stops it. Without a path it makes a tree of 64 MB in the folder for
//! temporary files, and removes it at the end. A scale such as `-- 0.1` multiplies that size.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coro::signal::ctrl_c;
use coro::threads::{CancelFlag, ToThread, to_thread, to_thread_with};
use coro::{gather, interval, race, spawn, yield_from};
use sha2::{Digest, Sha256};

const FILES: usize = 64;
const BYTES_EACH: f64 = 1e6;

/// How much of the work the threads have done.
#[derive(Default)]
struct Progress {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    fn show(&self, of: usize) {
        let files = self.files.load(Ordering::Relaxed);
        let bytes = self.bytes.load(Ordering::Relaxed);
        eprint!("\r{files} of {of} files, {} MB", bytes / 1_000_000);
    }
}

/// Runs on a thread: finds the files below a folder, in order. The path may also be a file.
fn files_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if !kind.is_dir() {
        let file = kind.is_file().then(|| path.to_owned());
        return Ok(file.into_iter().collect()); // no links, no pipes
    }
    let entries: io::Result<Vec<_>> = fs::read_dir(path)?.collect();
    let mut paths: Vec<_> = entries?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let below: io::Result<Vec<_>> = paths.iter().map(|path| files_below(path)).collect();
    Ok(below?.concat())
}

/// Runs on a thread: computes the checksum of a file, unless it is cancelled meanwhile.
fn checksum(path: &Path, progress: &Progress, cancel: &CancelFlag) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    while !cancel.is_cancelled() {
        match file.read(&mut buffer)? {
            0 => {
                progress.files.fetch_add(1, Ordering::Relaxed);
                return Ok(hex(&hash.finalize()));
            }
            read => {
                hash.update(&buffer[..read]);
                progress.bytes.fetch_add(read as u64, Ordering::Relaxed);
            }
        }
    }
    Err(io::Error::other("given up"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Starts the checksum of a file on a thread.
fn begin(path: &Path, progress: &Arc<Progress>) -> ToThread<io::Result<String>> {
    let (path, progress) = (path.to_owned(), progress.clone());
    to_thread_with(move |cancel| checksum(&path, &progress, cancel))
}

/// Prints the checksums of all files below a path. Returns how many could not be read.
#[coro::coroutine]
fn checksums(root: PathBuf) -> io::Result<u64> {
    let paths = yield_from!(to_thread(move || files_below(&root)))??;
    let progress = Arc::new(Progress::default());
    let (shown, of) = (progress.clone(), paths.len());
    let shows = spawn(async move {
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            shown.show(of);
        }
    })
    .cancel_on_drop();

    let jobs: Vec<_> = paths.iter().map(|path| begin(path, &progress)).collect();
    let results = yield_from!(gather(jobs));
    drop(shows);
    progress.show(of);
    eprintln!();

    let mut failed = 0;
    for (path, result) in paths.iter().zip(results) {
        match result.unwrap_or_else(|error| Err(error.into())) {
            Ok(checksum) => println!("{checksum}  {}", path.display()),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                failed += 1;
            }
        }
    }
    let bytes = progress.bytes.load(Ordering::Relaxed);
    println!("{} files, {bytes} bytes", of as u64 - failed);
    Ok(failed)
}

/// A tree of test files, which is removed when this value is dropped.
struct Sample(PathBuf);

impl Sample {
    fn new(scale: f64) -> io::Result<Self> {
        let root = env::temp_dir().join(format!("coro-checksum-{}", std::process::id()));
        let sample = Sample(root);
        for number in 0..FILES {
            let folder = sample.0.join(format!("{}", number % 4));
            fs::create_dir_all(&folder)?;
            let content = vec![number as u8; (BYTES_EACH * scale) as usize];
            File::create(folder.join(format!("{number}")))?.write_all(&content)?;
        }
        Ok(sample)
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // if this fails, the system cleans its temporary files
    }
}

#[coro::coroutine]
fn checksums_until_ctrl_c(root: PathBuf) -> io::Result<ExitCode> {
    let all = async {
        let failed = checksums(root).await?;
        Ok(ExitCode::from(u8::from(failed > 0)))
    };
    let stopped = async {
        ctrl_c().await?;
        eprintln!("\nstopped by Ctrl-C");
        Ok(ExitCode::from(130))
    };
    yield_from!(race((all, stopped)))
}

#[coro::main]
fn main() -> io::Result<ExitCode> {
    let argument = env::args_os().nth(1);
    let number = argument.as_deref().map_or(Some(1.0), |text| {
        text.to_str().and_then(|text| text.parse::<f64>().ok())
    });
    match (number, argument) {
        (None, Some(path)) => yield_from!(checksums_until_ctrl_c(path.into())),
        (scale, _) => {
            let scale = scale.unwrap_or(1.0).clamp(0.0, 10.0);
            let sample = yield_from!(to_thread(move || Sample::new(scale)))??;
            yield_from!(checksums_until_ctrl_c(sample.0.clone()))
        }
    }
}
