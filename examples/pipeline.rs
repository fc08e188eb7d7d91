//! Three processes joined by pipes, as `cat <FILE | tr a-z A-Z | wc -c` joins them in a shell.
//!
//! ```text
//! $ cargo run --example pipeline
//! cat | tr | wc, with a file of numbered lines
//!   wc counts as many bytes as the file has
//!   cat: exit status: 0
//!   tr: exit status: 0
//!   wc: exit status: 0
//! yes | head | tr, where head has enough after three lines
//!   Y Y Y
//!   yes: signal: 13 (SIGPIPE)
//!   head: exit status: 0
//!   tr: exit status: 0
//! cat | false, which reads nothing, and a program that is not there
//!   cat: exit status: 0
//!   false: exit status: 1
//!   cannot run "no-such-program": No such file or directory (os error 2)
//! ```
//!
//! Unix only. With a scale such as `-- 0.1` after the command the file is smaller than 64 MiB.

#[cfg(unix)]
mod support;

#[cfg(unix)]
mod unix {
    use std::fs::{self, File};
    use std::io::{self, BufWriter, Write};
    use std::path::{Path, PathBuf};
    use std::process::Stdio;

    use crate::support::seconds;
    use coro::process::{Child, Command};
    use coro::yield_from;
    use futures::AsyncReadExt;

    const FILE_MIB: f64 = 64.0;

    /// Starts the programs; each reads the output of the one before it.
    fn pipeline(input: impl Into<Stdio>, line: &[&str]) -> io::Result<Vec<Child>> {
        let mut children: Vec<Child> = Vec::new();
        let mut input = input.into();
        for program in line {
            let mut words = program.split(' ');
            let mut command = Command::new(words.next().unwrap_or_default());
            // If a later program fails to start, dropping the earlier children kills them.
            command
                .args(words)
                .stdin(input)
                .stdout(Stdio::piped())
                .kill_on_drop(true);
            let mut child = command.spawn()?;
            input = Stdio::null();
            if children.len() + 1 < line.len() {
                input = match child.stdout.take() {
                    Some(pipe) => pipe.try_into()?,
                    None => Stdio::null(),
                };
            }
            children.push(child);
        }
        Ok(children)
    }

    /// Reads the output of the last program, then reports the status of each.
    #[coro::coroutine]
    fn finish(mut children: Vec<Child>, names: &[&str]) -> io::Result<String> {
        let mut text = String::new();
        if let Some(pipe) = children.last_mut().and_then(|last| last.stdout.as_mut()) {
            yield_from!(pipe.read_to_string(&mut text))?;
        }
        let mut ends = Vec::new();
        for (child, name) in children.iter_mut().zip(names) {
            let status = yield_from!(child.wait())?;
            ends.push(format!("  {name}: {status}"));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(format!("{}\n{}", words.join(" "), ends.join("\n")))
    }

    /// A file of numbered lines, which is removed on drop.
    struct Numbers(PathBuf);

    impl Numbers {
        fn new(len: u64) -> io::Result<Self> {
            let path = std::env::temp_dir().join(format!("coro-pipeline-{}", std::process::id()));
            let mut file = BufWriter::new(File::create(&path)?);
            let numbers = Numbers(path);
            for n in 0..len / 16 {
                writeln!(file, "line {n:>10}")?;
            }
            file.flush()?;
            Ok(numbers)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Numbers {
        fn drop(&mut self) {
            if let Err(error) = fs::remove_file(&self.0) {
                eprintln!("cannot remove {}: {error}", self.0.display());
            }
        }
    }

    #[coro::main]
    pub(super) fn main() -> io::Result<()> {
        crate::support::check_arguments();

        println!("cat | tr | wc, with a file of numbered lines");
        let numbers = Numbers::new((seconds(FILE_MIB).as_secs_f64() * 1_048_576.0) as u64)?;
        let children = pipeline(File::open(numbers.path())?, &["cat", "tr a-z A-Z", "wc -c"])?;
        let said = yield_from!(finish(children, &["cat", "tr", "wc"]))?;
        let (count, ends) = said.split_once('\n').unwrap_or_default();
        let is_all = count == fs::metadata(numbers.path())?.len().to_string();
        println!(
            "  wc counts {} the file has",
            if is_all {
                "as many bytes as"
            } else {
                "not as many bytes as"
            }
        );
        println!("{ends}");

        println!("yes | head | tr, where head has enough after three lines");
        let children = pipeline(Stdio::null(), &["yes", "head -n 3", "tr a-z A-Z"])?;
        let said = yield_from!(finish(children, &["yes", "head", "tr"]))?;
        println!("  {said}");

        println!("cat | false, which reads nothing, and a program that is not there");
        let children = pipeline(Stdio::null(), &["cat", "false"])?;
        let said = yield_from!(finish(children, &["cat", "false"]))?;
        println!("{}", said.trim_start_matches('\n'));
        if let Err(error) = pipeline(Stdio::null(), &["cat", "no-such-program"]) {
            println!("  {error}");
        }
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    println!("this example starts programs of Unix");
}
