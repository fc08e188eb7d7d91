//! Gives names to the elided lifetimes of a type.

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use crate::tokens::{self, Cursor, Lifetime, is_punct};
use crate::types;

pub(crate) struct Elided {
    /// The lifetime that every `impl` outlives.
    all: Lifetime,
    named: Vec<Lifetime>,
}

impl Elided {
    pub(crate) fn new(all: Lifetime) -> Elided {
        let named = Vec::new();
        Elided { all, named }
    }

    /// The lifetimes that were elided, in order.
    pub(crate) fn into_named(self) -> Vec<Lifetime> {
        self.named
    }

    /// A new name.
    pub(crate) fn fresh(&mut self) -> Lifetime {
        let name = format!("__elided{}", self.named.len());
        let lifetime = Lifetime::new(&name, Span::mixed_site());
        self.named.push(lifetime.clone());
        lifetime
    }

    /// The type with a name for each lifetime that is elided in it. Each `impl` gets a bound.
    pub(crate) fn name_in(&mut self, ty: TokenStream) -> TokenStream {
        let mut input = Cursor::new(ty);
        let mut output = Vec::new();
        while !input.is_at_end() {
            self.step(&mut input, &mut output);
        }
        output.into_iter().collect()
    }

    fn step(&mut self, input: &mut Cursor, output: &mut Vec<TokenTree>) {
        let Some(tree) = input.tree(0).cloned() else {
            return;
        };
        match &tree {
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                output.push(reference(punct));
                input.advance(1);
                match Lifetime::begins(input.rest()) {
                    Some(_) => self.lifetime(input, output),
                    None => output.extend(tokens_of(self.fresh())),
                }
                self.pointee(input, output);
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => self.lifetime(input, output),
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                output.push(tree);
                input.advance(1);
                self.pointee(input, output);
            }
            TokenTree::Ident(word) if word == "impl" => {
                let length = types::length(input.rest()).unwrap_or(1);
                output.extend(self.opaque(input.take(length).unwrap_or_default()));
            }
            // An elided lifetime in `fn(&T)`, or in `Fn(&T)`, is not captured.
            TokenTree::Ident(word) if word == "fn" => {
                verbatim(input, output, types::length(input.rest()));
            }
            TokenTree::Ident(_) => self.word(input, output),
            TokenTree::Group(group) => {
                output.push(self.group(group).into());
                input.advance(1);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => verbatim(input, output, Some(1)),
        }
    }

    fn lifetime(&mut self, input: &mut Cursor, output: &mut Vec<TokenTree>) {
        match Lifetime::begins(input.rest()) {
            Some(lifetime) if lifetime.ident == "_" => {
                output.extend(tokens_of(self.fresh()));
                input.advance(2);
            }
            _ => verbatim(input, output, Some(2)),
        }
    }

    /// The type behind `&`. If it is an `impl`, it also gets parentheses, because it gets a bound.
    fn pointee(&mut self, input: &mut Cursor, output: &mut Vec<TokenTree>) {
        if input.is_word(0, "mut") || input.is_word(0, "const") {
            verbatim(input, output, Some(1));
        }
        let opaque = match input.group(0, Delimiter::None) {
            Some(group) if types::is_impl(&group.stream()) => {
                let opaque = types::bare(group.stream()).into_iter().collect();
                input.advance(1);
                Some(opaque)
            }
            _ if input.is_word(0, "impl") => {
                let length = types::length_of_pointee(input.rest());
                input.take(length.unwrap_or(1))
            }
            _ => None,
        };
        if let Some(opaque) = opaque {
            let opaque = self.opaque(opaque);
            let mut parentheses = Group::new(Delimiter::Parenthesis, opaque);
            parentheses.set_span(Span::mixed_site());
            output.push(parentheses.into());
        }
    }

    /// An `impl Trait`, with the bound that it outlives the coroutine.
    fn opaque(&mut self, ty: TokenStream) -> TokenStream {
        let mut trees = ty.into_iter();
        let word = trees.next();
        let bounds = self.name_in(trees.collect());
        let all = &self.all;
        let ends_in_plus = tokens::trees(bounds.clone());
        match ends_in_plus.last().is_some_and(|last| is_punct(last, '+')) {
            true => quote!(#word #bounds #all),
            false => quote!(#word #bounds + #all),
        }
    }

    /// A word, with the arguments of a macro or a `Fn` after it.
    fn word(&mut self, input: &mut Cursor, output: &mut Vec<TokenTree>) {
        let is_macro = input.is_macro_call();
        verbatim(input, output, Some(if is_macro { 3 } else { 1 }));
        if !is_macro && input.group(0, Delimiter::Parenthesis).is_some() {
            verbatim(input, output, Some(1));
            if input.is_punct(0, '-') && input.is_punct(1, '>') {
                verbatim(input, output, Some(2));
                let returned = types::length_of_pointee(input.rest());
                verbatim(input, output, returned);
            }
        }
    }

    fn group(&mut self, group: &Group) -> Group {
        let inside = match group.delimiter() {
            Delimiter::Brace => return group.clone(), // a constant
            Delimiter::Bracket => self.element(group.stream()),
            _ => self.name_in(group.stream()),
        };
        tokens::with_tokens(group, inside)
    }

    /// The inside of `[T]` or `[T; N]`.
    fn element(&mut self, inside: TokenStream) -> TokenStream {
        let mut ty = tokens::trees(inside);
        let end = ty.iter().position(|tree| is_punct(tree, ';'));
        let length = ty.split_off(end.unwrap_or(ty.len()));
        let ty = self.name_in(ty.into_iter().collect());
        quote!(#ty #(#length)*)
    }
}

/// `&`, with a lifetime after it.
fn reference(punct: &Punct) -> TokenTree {
    let mut reference = Punct::new('&', Spacing::Alone);
    reference.set_span(punct.span());
    reference.into()
}

fn tokens_of(lifetime: Lifetime) -> TokenStream {
    quote!(#lifetime)
}

fn verbatim(input: &mut Cursor, output: &mut Vec<TokenTree>, length: Option<usize>) {
    let length = length.unwrap_or(1).max(1).min(input.rest().len());
    output.extend(input.take(length).unwrap_or_default());
}
