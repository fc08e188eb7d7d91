//! The attribute around many coroutines.
//!
//! `coroutine` is also the name of an attribute that is built into the compiler, so that the bare
//! name is ambiguous. The compiler never sees it here: it is made a path first.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Error, Type};

use crate::args::{Args, merge};
use crate::fallback;
use crate::names;

/// Expands `#[coro::coroutines(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let (defaults, mut errors) = Args::parse(args);
    merge(&mut errors, only_defaults(&defaults));
    let trees: Vec<TokenTree> = item.clone().into_iter().collect();
    merge(&mut errors, not_a_container(&trees));
    fallback::report(errors, rewrite(trees, &defaults).unwrap_or(item))
}

fn only_defaults(args: &Args) -> Option<Error> {
    const MESSAGE: &str = "only `send` and `crate = path::to::coro` can be handed down";
    let refuse = |ty: &Type| Error::new_spanned(ty, MESSAGE);
    let types = args.yields.as_ref().or(args.resumes.as_ref()).map(refuse);
    types.or_else(|| args.boxed.map(|span| Error::new(span, MESSAGE)))
}

/// Refuses what has no functions inside.
fn not_a_container(trees: &[TokenTree]) -> Option<Error> {
    let is_container = |tree: &&TokenTree| match tree {
        TokenTree::Ident(word) => ["mod", "impl", "trait"]
            .iter()
            .any(|container| word == container),
        _ => false,
    };
    let container = trees.iter().find(is_container);
    let has_body = matches!(trees.last(), Some(TokenTree::Group(_)));
    let (tree, message) = match (container, has_body) {
        (Some(_), true) => return None,
        (Some(word), false) => (
            word,
            "`#[coro::coroutines]` sees only what is written inline: write the module's body here",
        ),
        (None, _) => (
            trees.first()?,
            "`#[coro::coroutines]` goes on an inline module, an impl or a trait",
        ),
    };
    Some(Error::new(tree.span(), message))
}

/// The tokens with the attributes in them made paths, or nothing if there are none.
fn rewrite(mut trees: Vec<TokenTree>, defaults: &Args) -> Option<TokenStream> {
    let mut changed = false;
    for at in 0..trees.len() {
        let TokenTree::Group(group) = &trees[at] else {
            continue;
        };
        let inside = match group.delimiter() {
            Delimiter::Bracket if is_attribute(&trees, at) => attribute(group.stream(), defaults),
            // What macros make of their tokens is not known.
            Delimiter::Brace | Delimiter::None if !is_macro_input(&trees, at) => {
                rewrite(group.stream().into_iter().collect(), defaults)
            }
            _ => None,
        };
        if let Some(inside) = inside {
            trees[at] = replaced(group, inside);
            changed = true;
        }
    }
    changed.then(|| trees.into_iter().collect())
}

/// Whether the group at `at` is an attribute of an item; closures have one of the same name.
fn is_attribute(trees: &[TokenTree], at: usize) -> bool {
    let is_closure = match trees.get(at + 1) {
        Some(TokenTree::Punct(punct)) => punct.as_char() == '|',
        Some(TokenTree::Ident(word)) => word == "move" || word == "static",
        _ => false,
    };
    at > 0 && is_punct(&trees[at - 1], '#') && !is_closure
}

fn is_macro_input(trees: &[TokenTree], at: usize) -> bool {
    let behind = |back| {
        at.checked_sub(back)
            .is_some_and(|it: usize| is_punct(&trees[it], '!'))
    };
    behind(1) || behind(2)
}

/// `coroutine(args)`, as a path and with the defaults; `None` if it is another attribute.
fn attribute(tokens: TokenStream, defaults: &Args) -> Option<TokenStream> {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    let args = match trees.pop_if(|last| matches!(last, TokenTree::Group(_))) {
        Some(TokenTree::Group(group)) => Some(group),
        _ => None,
    };
    let name = trees.pop()?;
    if matches!(&name, TokenTree::Ident(word) if word == "cfg_attr") {
        let args = args?;
        let inside = conditional(args.stream(), defaults)?;
        let args = replaced(&args, inside);
        return Some(quote!(#name #args));
    }
    if !matches!(&name, TokenTree::Ident(word) if word == "coroutine") {
        return None;
    }
    let facade = names::facade(defaults.krate.as_ref());
    let path: TokenStream = match trees.is_empty() {
        true => quote!(#facade::),
        false => trees.into_iter().collect(),
    };
    let ours = [
        format!("{facade}::"),
        "coro::".to_owned(),
        "::coro::".to_owned(),
    ];
    let spelled = path.to_string();
    let is_ours = ours
        .iter()
        .any(|ours| without_spaces(ours) == without_spaces(&spelled));
    let args = with_defaults(args.map(|args| args.stream()).unwrap_or_default(), defaults);
    is_ours.then(|| quote!(#path #name(#args)))
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The arguments of `cfg_attr`: a condition, then attributes.
fn conditional(tokens: TokenStream, defaults: &Args) -> Option<TokenStream> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut parts = trees.split(|tree| is_punct(tree, ','));
    let mut output: TokenStream = parts.next()?.iter().cloned().collect();
    let mut changed = false;
    for part in parts {
        let part: TokenStream = part.iter().cloned().collect();
        let rewritten = attribute(part.clone(), defaults);
        changed |= rewritten.is_some();
        let part = rewritten.unwrap_or(part);
        output.extend(quote!(, #part));
    }
    changed.then_some(output)
}

/// The arguments, and those of the defaults that they do not mention.
fn with_defaults(args: TokenStream, defaults: &Args) -> TokenStream {
    let mentions = |word: &str| {
        let is_word = |tree| matches!(tree, TokenTree::Ident(other) if other == word);
        args.clone().into_iter().any(is_word)
    };
    let send = defaults.send.filter(|_| !mentions("send"));
    let send = send.map(|span| quote_spanned!(span=> send,));
    let krate = defaults.krate.as_ref().filter(|_| !mentions("crate"));
    let krate = krate.map(|path| quote!(crate = #path,));
    quote!(#send #krate #args)
}

fn replaced(group: &Group, tokens: TokenStream) -> TokenTree {
    let mut replaced = Group::new(group.delimiter(), tokens);
    replaced.set_span(group.span());
    replaced.into()
}

fn is_punct(tree: &TokenTree, punct: char) -> bool {
    matches!(tree, TokenTree::Punct(other) if other.as_char() == punct)
}
