//! Tests that compare the expansions of the main forms with checked-in files.
//!
//! `CORO_EXPANSION=overwrite cargo test -p coro-rs-macros` writes the files again.

use std::env;
use std::fs;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::quote;

use crate::body::{self, Context};
use crate::braces::Braces;
use crate::{block, coroutine, coroutines, entry, names};

#[test]
fn a_coroutine_that_waits() {
    let item = quote! {
        /// Documented.
        pub fn length(text: &str) -> usize { coro::yield_from!(ready(text.len())) }
    };
    check("waits", coroutine::expand(quote!(), item));
}

#[test]
fn a_coroutine_with_awaits_of_its_own() {
    let item = quote! {
        async fn length(url: &str) -> Result<usize> {
            let page = fetch(url).await?;
            log!(flush().await);
            println!("{}", page.title().await);
            coro::yield_from!(store(page.text().await));
            Ok(page.await.len())
        }
    };
    check("awaits", coroutine::expand(quote!(), item));
}

#[test]
fn a_body_whose_text_hides_no_place() {
    let body = |text| {
        let runtime = names::runtime(None);
        body::of_async_fn(&Braces::of_text(text), Context::Waits { runtime })
    };
    let waits = body("// slowly\nprintln!(\"{}\", yield_from!(fetch(url)))");
    let awaits = body("fetch(url).await.len()");
    check("one_place", quote!(#waits #awaits));
}

#[test]
fn a_coroutine_that_promises_send() {
    let item = quote! {
        fn length(&self, (text, _): (&str, u32)) -> usize { coro::yield_from!(ready(text.len())) }
    };
    check("send", coroutine::expand(quote!(send), item));
}

#[test]
fn a_coroutine_in_a_box() {
    let item = quote! {
        fn length(text: &str, more: Words<'_>) -> usize { coro::yield_from!(ready(text.len())) }
    };
    check("boxed", coroutine::expand(quote!(boxed), item));
}

#[test]
fn a_required_method() {
    check(
        "required",
        coroutine::expand(
            quote!(boxed),
            quote!(
                fn area(&self, scale: u32) -> u32;
            ),
        ),
    );
}

#[test]
fn a_generator() {
    let item = quote! {
        fn words<'a>(text: &'a str) { coro::yield_!(text); }
    };
    check(
        "generator",
        coroutine::expand(quote!(yields = &'a str), item),
    );
}

#[test]
fn an_async_generator() {
    let item = quote! {
        async fn ticks(mut count: u32) { coro::yield_!(count); }
    };
    let args = quote!(yields = u32, resumes = bool, crate = threads);
    check("async_generator", coroutine::expand(args, item));
}

#[test]
fn a_block() {
    let tokens = quote!(yields = u32, resumes = bool, async {
        coro::yield_!(count);
    });
    check("block", block::expand(tokens));
}

#[test]
fn a_block_with_an_await() {
    let tokens = quote!(yields = u32, async {
        coro::yield_!(next().await);
        pause().await;
    });
    check("block_awaits", block::expand(tokens));
}

#[test]
fn a_mistake() {
    let item = quote! {
        const fn one() -> u32 { 1 }
    };
    check("mistake", coroutine::expand(quote!(), item));
}

#[test]
fn a_main() {
    let item = quote! {
        fn main() -> Result<(), Error> { coro::yield_from!(serve()) }
    };
    check("main", entry::expand_main(quote!(), item));
}

#[test]
fn a_main_on_several_cores() {
    let item = quote! {
        async fn main(core: Core) -> Result<(), Error> { serve(core).await }
    };
    check(
        "main_threads",
        entry::expand_main(quote!(threads = 2), item),
    );
}

#[test]
fn a_simulated_test() {
    let item = quote! {
        fn survives(sim: &Sim) -> Result<(), Error> { serve() }
    };
    check(
        "test_simulated",
        entry::expand_test(quote!(seeds = 100), item),
    );
}

#[test]
fn a_test() {
    let item = quote! {
        #[should_panic]
        async fn fails() { panic!() }
    };
    check("test", entry::expand_test(quote!(), item));
}

#[test]
fn many_coroutines() {
    let item = quote! {
        impl Counter {
            #[coroutine]
            fn next(&mut self) -> u32 { 1 }
            #[cfg_attr(test, coroutine(yields = u8))]
            fn bytes(&self) {}
            #[other::coroutine]
            fn of_others(&self) {}
        }
    };
    check("coroutines", coroutines::expand(quote!(send), item));
}

fn check(name: &str, expansion: TokenStream) {
    let file = format!("expansions/{name}.txt");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    let mut found = Text::default();
    found.tokens(expansion);
    if env::var("CORO_EXPANSION").is_ok_and(|mode| mode == "overwrite") {
        fs::write(&path, &found.text).expect("a checked-in file can be written");
    }
    let expected = fs::read_to_string(&path).expect("each form has its file");
    assert_eq!(
        found.text,
        expected,
        "another expansion than in {}",
        path.display()
    );
}

/// The text of an expansion, with one statement on each line.
#[derive(Default)]
struct Text {
    text: String,
    depth: usize,
    /// Whether the last token asks for no space after it.
    tight: bool,
}

impl Text {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut trees = tokens.into_iter().peekable();
        while let Some(tree) = trees.next() {
            match tree {
                TokenTree::Group(group) => {
                    self.group(group.delimiter(), group.stream());
                    if group.delimiter() == Delimiter::Brace || is_attribute(&self.text) {
                        self.line_unless_followed_by(trees.peek());
                    }
                }
                TokenTree::Punct(punct) => {
                    let after = match punct.as_char() {
                        ';' | ',' | '.' | '?' | '>' => true,
                        ':' if punct.spacing() == Spacing::Alone => true,
                        ':' | '<' | '!' => follows_operand(&self.text),
                        _ => false,
                    };
                    self.token(&punct.to_string(), after);
                    let inside = matches!(punct.as_char(), '&' | '\'' | '#' | '.' | '<' | '$');
                    self.tight = inside || punct.spacing() == Spacing::Joint || is_path(&self.text);
                    if punct.as_char() == ';' {
                        self.line_unless_followed_by(trees.peek());
                    }
                }
                other => self.token(&other.to_string(), false),
            }
        }
    }

    fn group(&mut self, delimiter: Delimiter, tokens: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.token(
            open,
            delimiter != Delimiter::Brace && follows_operand(&self.text),
        );
        self.tight = true;
        let is_block = delimiter == Delimiter::Brace && !tokens.is_empty();
        if is_block {
            self.depth += 1;
            self.line();
        }
        self.tokens(tokens);
        if is_block {
            self.depth -= 1;
            self.line();
        }
        self.token(close, true);
    }

    fn token(&mut self, token: &str, tight: bool) {
        let begins = self.text.is_empty() || self.text.ends_with([' ', '\n']);
        if !begins && !tight && !self.tight {
            self.text.push(' ');
        }
        self.text.push_str(token);
        self.tight = false;
    }

    fn line_unless_followed_by(&mut self, next: Option<&TokenTree>) {
        let stays =
            matches!(next, Some(TokenTree::Punct(punct)) if ".,;?".contains(punct.as_char()));
        if next.is_some() && !stays {
            self.line();
        }
    }

    fn line(&mut self) {
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        self.text.push('\n');
        self.text.push_str(&"    ".repeat(self.depth));
        self.tight = true;
    }
}

/// Whether the text ends in an attribute of the item that follows.
fn is_attribute(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or_default().trim_start();
    line.starts_with("#[") && line.ends_with(']')
}

/// Whether the text ends in an operand, which can be called, indexed or followed by a path.
fn follows_operand(text: &str) -> bool {
    let word = text
        .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default();
    let keywords = [
        "impl", "dyn", "use", "return", "let", "as", "in", "if", "match",
    ];
    let ends = text.ends_with(|c: char| c.is_alphanumeric() || "_!)>#".contains(c));
    ends && !text.ends_with("->") && !text.ends_with("=>") && !keywords.contains(&word)
}

fn is_path(text: &str) -> bool {
    text.ends_with("::")
}
