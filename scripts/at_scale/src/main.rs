//! Rewrites the async functions of a crate as coroutines.
//!
//! `at-scale FORM FOLDER` edits every `.rs` file under the folder in place, by the spans of its
//! tokens, so that formatting, comments and macros stay. It prints how many functions and await
//! points it rewrote. `scripts/at_scale.sh` compiles the outcome.

mod edits;
mod macros;
mod rewriter;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use edits::Counts;
use rewriter::Rewriter;

/// How functions are rewritten.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// The attribute on an `async fn`, which stays as it is.
    Attribute,
    /// The attribute on a `fn`, whose `.await`s become `yield_from!`.
    YieldFrom,
    /// The same, in tests too.
    YieldFromInTests,
    /// The same, boxed, for the methods under `#[async_trait]`, which goes.
    Boxed,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (form, folder) = match arguments.as_slice() {
        [form, folder] if form == "attribute" => (Form::Attribute, folder),
        [form, folder] if form == "yield_from" => (Form::YieldFrom, folder),
        [form, folder] if form == "yield_from_in_tests" => (Form::YieldFromInTests, folder),
        [form, folder] if form == "boxed" => (Form::Boxed, folder),
        _ => {
            eprintln!("usage: at-scale attribute|yield_from|yield_from_in_tests|boxed FOLDER");
            return ExitCode::FAILURE;
        }
    };
    let mut counts = Counts::default();
    match rewrite_folder(Path::new(folder), form, &mut counts) {
        Ok(()) => {
            println!("{counts}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rewrite_folder(folder: &Path, form: Form, counts: &mut Counts) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rewrite_folder(&path, form, counts)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            rewrite_file(&path, form, counts)?;
        }
    }
    Ok(())
}

/// A file that does not parse, as one of another edition, stays as it is.
fn rewrite_file(path: &Path, form: Form, counts: &mut Counts) -> Result<(), Box<dyn Error>> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(());
    };
    // A byte order mark or an interpreter's line would shift the spans.
    if text.starts_with('\u{feff}') || text.starts_with("#!/") {
        return Ok(());
    }
    let Ok(file) = syn::parse_file(&text) else {
        eprintln!("{}: does not parse", path.display());
        return Ok(());
    };
    let mut rewriter = Rewriter::new(&text, form);
    syn::visit::visit_file(&mut rewriter, &file);
    let (rewritten, found) = rewriter.finish();
    counts.add(&found);
    if rewritten != text {
        fs::write(path, rewritten)?;
    }
    Ok(())
}
