//! The attribute `#[coro::coroutines]` around many coroutines.
//!
//! `coroutine` is also the name of an attribute that is built into the compiler, so the bare name
//! is ambiguous. Here the name is rewritten to a path before the compiler resolves it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::args::{self, Args};
use crate::fallback;
use crate::mistake::{Mistake, merge};
use crate::names;
use crate::tokens::{self, Cursor, is_punct};

/// Expands `#[coro::coroutines(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let (defaults, mut errors) = Args::parse(&args::COROUTINES, args);
    let trees: Vec<TokenTree> = item.clone().into_iter().collect();
    merge(&mut errors, not_a_container(&trees));
    let mut rewriter = Rewriter {
        defaults: &defaults,
        errors,
    };
    let rewritten = rewriter.rewrite(item.clone(), Within::Items);
    fallback::report(rewriter.errors, rewritten.unwrap_or(item))
}

/// Refuses an item that has no functions inside.
fn not_a_container(trees: &[TokenTree]) -> Option<Mistake> {
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
    Some(Mistake::new(tree.span(), message))
}

/// The place of the tokens that are rewritten.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Items,
    /// A macro that is called, or defined, in the place of an item. A bare attribute before a
    /// function in it is coro's.
    ItemMacro,
    /// Any other macro: its use of its tokens is not known.
    OtherMacro,
}

struct Rewriter<'a> {
    defaults: &'a Args,
    errors: Option<Mistake>,
}

impl Rewriter<'_> {
    /// The tokens, with every bare attribute in them made a path. `None` if there is none.
    fn rewrite(&mut self, tokens: TokenStream, within: Within) -> Option<TokenStream> {
        let mut changed = false;
        let mut cursor = Cursor::new(tokens);
        while !cursor.is_at_end() {
            if let Some(inside) = self.inside(&cursor, within) {
                cursor.replace_inside(inside);
                changed = true;
            }
            cursor.advance(1);
        }
        changed.then(|| cursor.into_tokens())
    }

    /// The new tokens of the group that is read, if they change.
    fn inside(&mut self, cursor: &Cursor, within: Within) -> Option<TokenStream> {
        let Some(TokenTree::Group(group)) = cursor.tree(0) else {
            return None;
        };
        let tokens = group.stream();
        match group.delimiter() {
            Delimiter::Bracket if is_attribute(cursor) => self.attribute(cursor, tokens, within),
            _ if is_macro_input(cursor) => {
                let is_item = group.delimiter() == Delimiter::Brace && is_item_macro(cursor);
                let within = match is_item && within != Within::OtherMacro {
                    true => Within::ItemMacro,
                    false => Within::OtherMacro,
                };
                self.rewrite(tokens, within)
            }
            Delimiter::Brace | Delimiter::None => self.rewrite(tokens, within),
            _ => None,
        }
    }

    fn attribute(
        &mut self,
        cursor: &Cursor,
        tokens: TokenStream,
        within: Within,
    ) -> Option<TokenStream> {
        if within != Within::Items && !is_before_function(cursor) {
            return None;
        }
        let name = tokens.clone().into_iter().next()?;
        if within == Within::OtherMacro {
            if !tokens::is_word(&name, "coroutine") {
                return None;
            }
            merge(&mut self.errors, Mistake::new(name.span(), IN_A_MACRO));
        }
        attribute(tokens, self.defaults)
    }
}

const IN_A_MACRO: &str = "inside a macro write `#[coro::coroutine]`: \
    `#[coro::coroutines]` does not know what becomes of the tokens in here";

/// Whether the group is an attribute of an item. The compiler's own `#[coroutine]` stands on a
/// closure.
fn is_attribute(cursor: &Cursor) -> bool {
    let is_closure = cursor.is_punct(1, '|')
        || ["move", "static"]
            .iter()
            .any(|word| cursor.is_word(1, word));
    cursor.before(1).is_some_and(|tree| is_punct(tree, '#')) && !is_closure
}

/// Whether the item to which the attribute belongs is a function.
fn is_before_function(cursor: &Cursor) -> bool {
    const QUALIFIERS: [&str; 7] = [
        "pub", "crate", "default", "const", "async", "unsafe", "extern",
    ];
    let is_fn = |tree: &TokenTree| tokens::is_word(tree, "fn");
    let Some(end) = cursor.after(0).iter().position(is_fn) else {
        return false;
    };
    let mut of_a_macro = false;
    cursor.after(0)[..end].iter().all(|tree| match tree {
        TokenTree::Ident(word) => {
            let variable = std::mem::take(&mut of_a_macro);
            variable || QUALIFIERS.iter().any(|qualifier| word == qualifier)
        }
        TokenTree::Punct(punct) => {
            of_a_macro = punct.as_char() == '$';
            "#$*?".contains(punct.as_char())
        }
        TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
        TokenTree::Literal(_) => true,
    })
}

fn is_macro_input(cursor: &Cursor) -> bool {
    let is_exclamation = |tree: &TokenTree| is_punct(tree, '!');
    cursor.before(1).is_some_and(is_exclamation) || is_macro_definition(cursor)
}

fn is_macro_definition(cursor: &Cursor) -> bool {
    let is_exclamation = |tree: &TokenTree| is_punct(tree, '!');
    cursor.before(2).is_some_and(is_exclamation)
        && matches!(cursor.before(1), Some(TokenTree::Ident(_)))
}

/// Whether the macro with this input stands in the place of an item.
fn is_item_macro(cursor: &Cursor) -> bool {
    if is_macro_definition(cursor) {
        return true;
    }
    let mut back = 2;
    while let Some(tree) = cursor.before(back) {
        match tree {
            TokenTree::Ident(_) => back += 1,
            tree if is_punct(tree, ':') => back += 1,
            tree => {
                let is_end = is_punct(tree, ';') || tokens::is_group(tree, Delimiter::Brace);
                return is_end || tokens::is_group(tree, Delimiter::Bracket);
            }
        }
    }
    true
}

/// `coroutine(args)`, as a path and with the defaults. `None` if it is another attribute.
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
        let args = tokens::with_tokens(&args, inside);
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
    let mut parts = tokens::split(tokens, ',').into_iter();
    let mut output = parts.next()?;
    let mut changed = false;
    for part in parts {
        let rewritten = attribute(part.clone(), defaults);
        changed |= rewritten.is_some();
        let part = rewritten.unwrap_or(part);
        output.extend(quote!(, #part));
    }
    changed.then_some(output)
}

/// The arguments, with the defaults that they do not mention.
fn with_defaults(args: TokenStream, defaults: &Args) -> TokenStream {
    let mentions = |word: &str| {
        let mut trees = args.clone().into_iter();
        trees.any(|tree| tokens::is_word(&tree, word))
    };
    let send = defaults.send.filter(|_| !mentions("send"));
    let send = send.map(|span| quote_spanned!(span=> send,));
    let krate = defaults.krate.as_ref().filter(|_| !mentions("crate"));
    let krate = krate.map(|path| quote!(crate = #path,));
    quote!(#send #krate #args)
}
