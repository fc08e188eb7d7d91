//! Arguments of macros that are known to evaluate them in the body around.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Block, Expr, ImplItem, Item, Macro, MacroDelimiter, Pat, Result, Token, TraitItem, token,
};

/// Macros whose arguments are expressions with commas in between.
const TRANSPARENT: [&str; 27] = [
    "assert",
    "assert_eq",
    "assert_err",
    "assert_ne",
    "assert_none",
    "assert_ok",
    "assert_pending",
    "assert_ready",
    "assert_ready_eq",
    "assert_ready_err",
    "assert_ready_ok",
    "assert_some",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "eprint",
    "eprintln",
    "format",
    "panic",
    "print",
    "println",
    "todo",
    "unreachable",
    "vec",
    "write",
    "writeln",
    "matches",
];

/// The expressions that a macro evaluates in the body in which it is called.
pub(crate) fn expressions(mac: &Macro) -> Vec<Expr> {
    let Some(name) = mac.path.segments.last().map(|last| last.ident.to_string()) else {
        return Vec::new();
    };
    let tokens = mac.tokens.clone();
    let parsed = match name.as_str() {
        "matches" => first.parse2(tokens),
        "select" | "select_biased" => arms.parse2(tokens),
        name if TRANSPARENT.contains(&name) => arguments.parse2(tokens),
        _ => return Vec::new(),
    };
    parsed.unwrap_or_default()
}

fn arguments(input: ParseStream<'_>) -> Result<Vec<Expr>> {
    if let Some(repeated) = repeat(&input.fork()) {
        input.parse::<TokenStream>()?;
        return Ok(repeated);
    }
    let all = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    Ok(all.into_iter().collect())
}

/// `vec![value; count]`.
fn repeat(input: ParseStream<'_>) -> Option<Vec<Expr>> {
    let value = input.parse().ok()?;
    input.parse::<Token![;]>().ok()?;
    Some(vec![value, input.parse().ok()?])
}

/// The value that a `matches!` looks at; its pattern is left alone.
fn first(input: ParseStream<'_>) -> Result<Vec<Expr>> {
    let value = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(vec![value])
}

/// The futures, conditions and handlers of a `select!`.
fn arms(input: ParseStream<'_>) -> Result<Vec<Expr>> {
    let mut all = Vec::new();
    let ahead = input.fork();
    if ahead.parse::<Ident>().is_ok_and(|word| word == "biased") && ahead.peek(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    while !input.is_empty() {
        arm(input, &mut all)?;
    }
    Ok(all)
}

fn arm(input: ParseStream<'_>, all: &mut Vec<Expr>) -> Result<()> {
    if input.parse::<Option<Token![else]>>()?.is_none()
        && input.parse::<Option<Token![default]>>()?.is_none()
        && !is_complete(input)
    {
        Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        all.push(input.parse()?);
        if input.parse::<Option<Token![,]>>()?.is_some() {
            input.parse::<Token![if]>()?;
            all.push(input.parse()?);
        }
    }
    input.parse::<Token![=>]>()?;
    match input.peek(token::Brace) {
        true => {
            let block: Block = input.parse()?;
            all.push(Expr::Block(syn::ExprBlock {
                attrs: Vec::new(),
                label: None,
                block,
            }));
        }
        false => all.push(input.parse()?),
    }
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}

fn is_complete(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let is_word = ahead.parse::<Ident>().is_ok_and(|word| word == "complete");
    let complete = is_word && ahead.peek(Token![=>]);
    if complete {
        let _ = input.parse::<Ident>();
    }
    complete
}

fn is_braced(mac: &Macro) -> bool {
    matches!(mac.delimiter, MacroDelimiter::Brace(_)) && !mac.path.is_ident("macro_rules")
}

/// The items in a macro that hands them on, or in the arms of one that is defined here.
pub(crate) fn items(mac: &Macro) -> Vec<Item> {
    match mac.path.is_ident("macro_rules") {
        true => items_of_arms(mac.tokens.clone()),
        false => parse_all(mac),
    }
}

/// An arm that does not read as items, with its variables taken for names, is left alone.
fn items_of_arms(tokens: TokenStream) -> Vec<Item> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let bodies = trees.windows(2).filter_map(|pair| match pair {
        [TokenTree::Punct(arrow), TokenTree::Group(body)] if arrow.as_char() == '>' => {
            Some(with_names(body.stream()))
        }
        _ => None,
    });
    let parsed = bodies.filter_map(|body| all_of::<Item>.parse2(body).ok());
    parsed.flatten().collect()
}

/// The tokens with a name in place of each `$variable`, whose span is that of both its tokens.
fn with_names(tokens: TokenStream) -> TokenStream {
    let mut named = Vec::new();
    let mut dollar = None;
    for tree in tokens {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '$' => dollar = Some(punct.span()),
            TokenTree::Ident(name) if dollar.is_some() => {
                let span = dollar.take().and_then(|dollar| dollar.join(name.span()));
                let name = format!("variable_{name}");
                let span = span.unwrap_or_else(Span::call_site);
                named.push(TokenTree::Ident(Ident::new(&name, span)));
            }
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), with_names(group.stream()));
                inside.set_span(group.span());
                named.push(inside.into());
            }
            other => named.push(other),
        }
    }
    named.into_iter().collect()
}

pub(crate) fn impl_items(mac: &Macro) -> Vec<ImplItem> {
    parse_all(mac)
}

pub(crate) fn trait_items(mac: &Macro) -> Vec<TraitItem> {
    parse_all(mac)
}

fn parse_all<T: Parse>(mac: &Macro) -> Vec<T> {
    match is_braced(mac) {
        true => all_of.parse2(mac.tokens.clone()).unwrap_or_default(),
        false => Vec::new(),
    }
}

fn all_of<T: Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    while !input.is_empty() {
        all.push(input.parse()?);
    }
    Ok(all)
}
