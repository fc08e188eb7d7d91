//! The signature of the annotated function: its tokens, and where its parts are.
//!
//! A coroutine that only waits is printed with the very tokens of its author. Its arguments are read
//! only where the printed form needs them.

use std::iter::Peekable;
use std::vec;

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

use crate::input::Input;
use crate::mistake::{self, Mistake, Result};
use crate::tokens::{self, is_punct, is_word};
use crate::types;

/// The tokens that are still to be read.
pub(crate) type Trees = Peekable<vec::IntoIter<TokenTree>>;

pub(crate) struct Signature {
    pub(crate) constness: Option<TokenTree>,
    pub(crate) asyncness: Option<Ident>,
    safety: Option<TokenTree>,
    pub(crate) abi: Option<TokenStream>,
    pub(crate) fn_token: Ident,
    pub(crate) ident: Ident,
    /// The generic parameters with their angle brackets, or nothing.
    pub(crate) generics: Vec<TokenTree>,
    parentheses: Group,
    pub(crate) output: Option<Output>,
    /// `where` and its predicates, or nothing.
    pub(crate) where_clause: Vec<TokenTree>,
}

/// `-> Type`.
pub(crate) struct Output {
    arrow: [TokenTree; 2],
    pub(crate) ty: TokenStream,
}

impl Signature {
    /// Reads the signature with which the tokens begin, and gives the tokens after it. If the function has
    /// a `body`, which is not among the tokens, there are none after the signature.
    pub(crate) fn read(mut trees: Trees, body: bool) -> Result<(Signature, Vec<TokenTree>)> {
        let constness = trees.next_if(|tree| is_word(tree, "const"));
        let asyncness = match trees.next_if(|tree| is_word(tree, "async")) {
            Some(TokenTree::Ident(word)) => Some(word),
            _ => None,
        };
        let safety = trees.next_if(|tree| is_word(tree, "unsafe") || is_word(tree, "safe"));
        let abi = abi(&mut trees);
        let fn_token = match trees.next_if(|tree| is_word(tree, "fn")) {
            Some(TokenTree::Ident(word)) => word,
            _ => return Err(expected("`fn`", &mut trees)),
        };
        let ident = name(&mut trees)?;
        let generics = generics(&mut trees)?;
        let parentheses = match trees.next_if(|tree| tokens::is_group(tree, Delimiter::Parenthesis))
        {
            Some(TokenTree::Group(group)) => group,
            _ => return Err(expected("parentheses", &mut trees)),
        };
        let (output, where_clause, rest) = after_inputs(trees, body)?;
        let signature = Signature {
            constness,
            asyncness,
            safety,
            abi,
            fn_token,
            ident,
            generics,
            parentheses,
            output,
            where_clause,
        };
        Ok((signature, rest))
    }

    pub(crate) fn inputs(&self) -> Vec<Input> {
        let trees = tokens::trees(self.parentheses.stream());
        types::split(trees).into_iter().map(Input::read).collect()
    }

    pub(crate) fn set_inputs(&mut self, inputs: &[Input]) {
        let mut tokens = TokenStream::new();
        tokens.append_separated(inputs, Punct::new(',', Spacing::Alone));
        self.parentheses = tokens::with_tokens(&self.parentheses, tokens);
    }

    pub(crate) fn takes_nothing(&self) -> bool {
        self.parentheses.stream().is_empty()
    }

    /// The tokens of all arguments. They are removed.
    pub(crate) fn take_inputs(&mut self) -> TokenStream {
        let none = tokens::with_tokens(&self.parentheses, TokenStream::new());
        std::mem::replace(&mut self.parentheses, none).stream()
    }

    /// Removes a last argument of `...`.
    pub(crate) fn take_variadic(&mut self) -> Option<TokenStream> {
        let trees = tokens::trees(self.parentheses.stream());
        let is_dot = |tree: &TokenTree| is_punct(tree, '.');
        if !trees.iter().any(is_dot) {
            return None;
        }
        let mut parts = types::split(trees);
        let dots = parts.pop_if(|last| last.len() > 2 && last.iter().rev().take(3).all(is_dot))?;
        let inputs: Vec<Input> = parts.into_iter().map(Input::read).collect();
        self.set_inputs(&inputs);
        Some(dots.into_iter().collect())
    }

    /// The type that the function returns, if it is written.
    pub(crate) fn returned(&self) -> Option<&TokenStream> {
        self.output.as_ref().map(|output| &output.ty)
    }

    pub(crate) fn set_returned(&mut self, ty: TokenStream) {
        let arrow = [('-', Spacing::Joint), ('>', Spacing::Alone)];
        let arrow = arrow.map(|(letter, spacing)| Punct::new(letter, spacing).into());
        self.output = Some(Output { arrow, ty });
    }

    /// The end of the signature, where the compiler may propose to add a `where` clause.
    pub(crate) fn end(&self) -> Span {
        match self.returned() {
            Some(ty) => mistake::whole(ty),
            None => self.parentheses.span_close(),
        }
    }

    /// The names of the parameters that are types.
    pub(crate) fn type_params(&self) -> Vec<String> {
        let params = self.params().into_iter();
        let names = params.filter_map(|param| match name_of_param(&param)? {
            TokenTree::Ident(word) if *word != "const" => Some(word.to_string()),
            _ => None,
        });
        names.collect()
    }

    /// The generic parameters, each with its attributes and bounds.
    pub(crate) fn params(&self) -> Vec<Vec<TokenTree>> {
        let inside = match self.generics.as_slice() {
            [_, inside @ .., _] => inside.to_vec(),
            _ => Vec::new(),
        };
        types::split(inside)
    }
}

/// The first token of a generic parameter after its attributes.
fn name_of_param(param: &[TokenTree]) -> Option<&TokenTree> {
    param.get(attributes_before(param))
}

/// The number of tokens of the attributes with which the tokens begin.
pub(crate) fn attributes_before(trees: &[TokenTree]) -> usize {
    let pairs = trees.chunks(2);
    let attributes = pairs.take_while(|pair| is_punct(&pair[0], '#'));
    2 * attributes.count()
}

impl ToTokens for Signature {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.constness.to_tokens(tokens);
        self.asyncness.to_tokens(tokens);
        self.safety.to_tokens(tokens);
        self.abi.to_tokens(tokens);
        self.fn_token.to_tokens(tokens);
        self.ident.to_tokens(tokens);
        tokens.append_all(&self.generics);
        self.parentheses.to_tokens(tokens);
        self.output.to_tokens(tokens);
        tokens.append_all(&self.where_clause);
    }
}

impl ToTokens for Output {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.arrow);
        self.ty.to_tokens(tokens);
    }
}

fn expected(words: &str, trees: &mut Trees) -> Mistake {
    let place = trees.peek().map_or_else(Span::call_site, TokenTree::span);
    Mistake::new(place, format!("expected {words}"))
}

/// `extern "C"`. A macro may have been given the name, in an invisible group then.
fn abi(trees: &mut Trees) -> Option<TokenStream> {
    let word = trees.next_if(|tree| is_word(tree, "extern"))?;
    let name = trees.next_if(|tree| match tree {
        TokenTree::Literal(_) => true,
        tree => tokens::is_group(tree, Delimiter::None),
    });
    Some([word].into_iter().chain(name).collect())
}

fn name(trees: &mut Trees) -> Result<Ident> {
    let name = trees.next_if(|tree| match tree {
        TokenTree::Ident(_) => true,
        tree => tokens::is_group(tree, Delimiter::None),
    });
    let inside = match name {
        Some(TokenTree::Group(group)) => group.stream().into_iter().next(),
        name => name,
    };
    match inside {
        Some(TokenTree::Ident(name)) => Ok(name),
        _ => Err(expected("identifier", trees)),
    }
}

fn generics(trees: &mut Trees) -> Result<Vec<TokenTree>> {
    let mut generics = Vec::new();
    if !trees.peek().is_some_and(|tree| is_punct(tree, '<')) {
        return Ok(generics);
    }
    let (mut depth, mut arrow) = (0_usize, false);
    for tree in trees.by_ref() {
        if let TokenTree::Punct(punct) = &tree {
            match punct.as_char() {
                '<' => depth += 1,
                '>' if !arrow => depth -= 1,
                _ => {}
            }
        }
        arrow = is_punct(&tree, '-') || is_punct(&tree, '=');
        generics.push(tree);
        if depth == 0 {
            return Ok(generics);
        }
    }
    Err(expected("`>`", trees))
}

type AfterInputs = (Option<Output>, Vec<TokenTree>, Vec<TokenTree>);

/// The return type, the `where` clause and the rest.
fn after_inputs(mut trees: Trees, body: bool) -> Result<AfterInputs> {
    let arrow = match trees.next_if(|tree| is_punct(tree, '-')) {
        Some(dash) => match trees.next_if(|tree| is_punct(tree, '>')) {
            Some(tip) => Some([dash, tip]),
            None => return Err(expected("`->`", &mut trees)),
        },
        None => None,
    };
    let mut ty: Vec<TokenTree> = trees.collect();
    let length = match (&arrow, body) {
        (None, _) => 0,
        (Some(_), true) => ty
            .iter()
            .position(|tree| is_word(tree, "where"))
            .unwrap_or(ty.len()),
        (Some(_), false) => types::length(&ty)
            .ok_or_else(|| Mistake::new(mistake::place(&ty), "expected a type"))?,
    };
    let mut where_clause = ty.split_off(length);
    let rest = match where_clause.first() {
        Some(word) if !is_word(word, "where") => std::mem::take(&mut where_clause),
        Some(_) if !body => {
            let length = types::length_of_predicates(&where_clause[1..]);
            where_clause.split_off(1 + length)
        }
        _ => Vec::new(),
    };
    let output = arrow.map(|arrow| Output {
        arrow,
        ty: ty.into_iter().collect(),
    });
    Ok((output, where_clause, rest))
}
