//! Yield points that stand where the coroutine cannot suspend.
//!
//! The compiler refuses them all, but in its own words and more than once. Those that can be seen
//! in the tokens are reported here, once; those that a macro hides are left to the compiler. Nothing
//! is parsed, so that what is not understood is taken to be right.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::Error;

use crate::args::merge;
use crate::item::{Body, Function};

/// Reports the yield points in closures and nested functions, blocks and constants.
pub(crate) fn find(function: &Function) -> Option<Error> {
    match &function.body {
        Body::Braced(group) => scan(group.stream(), None),
        Body::Missing(_) => None,
    }
}

/// What a yield point must not stand in.
#[derive(Clone, Copy)]
enum Place {
    Closure,
    AsyncBlock,
    ConstBlock,
    Function,
    Constant,
}

impl Place {
    fn error(self, name: &Ident) -> Error {
        let (place, remedy) = match self {
            Place::Closure => (
                "a closure",
                "only the body of the coroutine itself can suspend; use a loop instead",
            ),
            Place::AsyncBlock => (
                "a nested `async` block",
                "the block is a future of its own; use `.await` in it",
            ),
            Place::ConstBlock => ("a `const` block", "it is evaluated by the compiler"),
            Place::Function => (
                "a nested function",
                "annotate that function with `#[coro::coroutine]`",
            ),
            Place::Constant => ("a constant", "it is evaluated by the compiler"),
        };
        Error::new(
            name.span(),
            format!("`{name}!` cannot be used inside {place}: {remedy}"),
        )
    }
}

fn scan(tokens: TokenStream, place: Option<Place>) -> Option<Error> {
    let trees = tokens.into_iter().collect();
    let mut level = Level {
        trees,
        at: 0,
        place,
        passing: None,
        annotated: false,
    };
    let mut errors = None;
    while level.at < level.trees.len() {
        merge(&mut errors, level.step());
        level.at += 1;
    }
    errors
}

/// The tokens between two delimiters, and how far they are read.
struct Level {
    trees: Vec<TokenTree>,
    at: usize,
    /// What all of them stand in.
    place: Option<Place>,
    /// What those up to the next `;` stand in, or up to the next comma if it is a closure.
    passing: Option<Place>,
    /// Whether the item that begins here has an attribute that makes a coroutine of it.
    annotated: bool,
}

impl Level {
    fn step(&mut self) -> Option<Error> {
        match self.trees[self.at].clone() {
            TokenTree::Punct(punct) => self.punct(punct.as_char()),
            TokenTree::Ident(name) => return self.word(&name),
            TokenTree::Group(group) => return self.group(&group),
            TokenTree::Literal(_) => {}
        }
        None
    }

    fn punct(&mut self, punct: char) {
        match punct {
            ',' if matches!(self.passing, Some(Place::Closure)) => self.passing = None,
            ';' => {
                self.passing = None;
                self.annotated = false;
            }
            '|' if self.at_operand() => self.closure(),
            '|' if self.is_punct(1, '|') => self.at += 1,
            '#' => self.attribute(),
            _ => {}
        }
    }

    fn word(&mut self, name: &Ident) -> Option<Error> {
        match name.to_string().as_str() {
            "yield_" | "yield_from" if self.is_punct(1, '!') => {
                let error = self.here()?.error(name);
                self.at += 2;
                return Some(error);
            }
            "macro_rules" => self.at += 3,
            "async" => {
                let body = if self.is_word(1, "move") { 2 } else { 1 };
                return self.block(body, Place::AsyncBlock);
            }
            "const" if self.braces(1).is_some() => return self.block(1, Place::ConstBlock),
            "const" | "static" if self.at_statement() && !self.is_word(1, "fn") => {
                self.passing = Some(Place::Constant);
            }
            "fn" if matches!(self.tree(1), Some(TokenTree::Ident(_))) => return self.function(),
            // What other macros make of their tokens is not known.
            _ if self.is_macro_call() && self.here().is_none() => self.at += 2,
            _ => {}
        }
        None
    }

    fn group(&mut self, group: &Group) -> Option<Error> {
        if group.delimiter() == Delimiter::Brace {
            self.annotated = false;
        }
        scan(group.stream(), self.here())
    }

    fn block(&mut self, ahead: usize, place: Place) -> Option<Error> {
        let block = self.braces(ahead)?.stream();
        self.at += ahead;
        scan(block, Some(place))
    }

    fn function(&mut self) -> Option<Error> {
        let is_end = |tree: &TokenTree| match tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        let to_body = self.trees[self.at..].iter().position(is_end)?;
        match std::mem::take(&mut self.annotated) {
            true => {
                self.at += to_body;
                None
            }
            false => self.block(to_body, Place::Function),
        }
    }

    /// A closure, from its first bar to the second; or else the alternatives of a pattern.
    fn closure(&mut self) {
        let bar = |tree: &TokenTree| is_punct(tree, '|');
        let Some(second) = self.trees[self.at + 1..].iter().position(bar) else {
            return;
        };
        let after = &self.trees[self.at + second + 2..];
        let end = after
            .iter()
            .position(|tree| is_punct(tree, ','))
            .unwrap_or(after.len());
        let is_arrow = |pair: &[TokenTree]| is_punct(&pair[0], '=') && is_punct(&pair[1], '>');
        if !after[..end].windows(2).any(is_arrow) {
            self.at += second + 1;
            self.passing = Some(Place::Closure);
        }
    }

    fn attribute(&mut self) {
        if let Some(TokenTree::Group(group)) = self.tree(1) {
            self.annotated |= mentions(group.stream(), &["coroutine", "main", "test"]);
            self.at += 1;
        }
    }

    /// What the token that is read stands in.
    fn here(&self) -> Option<Place> {
        self.passing.or(self.place)
    }

    /// Whether an expression may begin here, so that a bar is not the operator.
    fn at_operand(&self) -> bool {
        const BEFORE: [&str; 9] = [
            "move", "async", "static", "return", "break", "in", "if", "while", "match",
        ];
        match self.before(1) {
            None => true,
            Some(TokenTree::Punct(punct)) => match punct.as_char() {
                '?' => false,
                '>' => self.before(2).is_some_and(|tree| is_punct(tree, '=')),
                _ => true,
            },
            Some(TokenTree::Ident(name)) => BEFORE.iter().any(|before| name == before),
            Some(_) => false,
        }
    }

    fn at_statement(&self) -> bool {
        match self.before(1) {
            None | Some(TokenTree::Group(_)) => true,
            Some(tree) => is_punct(tree, ';'),
        }
    }

    fn is_macro_call(&self) -> bool {
        self.is_punct(1, '!') && matches!(self.tree(2), Some(TokenTree::Group(_)))
    }

    fn is_punct(&self, ahead: usize, punct: char) -> bool {
        self.tree(ahead).is_some_and(|tree| is_punct(tree, punct))
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tree(ahead), Some(TokenTree::Ident(name)) if name == word)
    }

    fn braces(&self, ahead: usize) -> Option<&Group> {
        match self.tree(ahead)? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        }
    }

    fn tree(&self, ahead: usize) -> Option<&TokenTree> {
        self.trees.get(self.at + ahead)
    }

    fn before(&self, behind: usize) -> Option<&TokenTree> {
        self.trees.get(self.at.checked_sub(behind)?)
    }
}

fn is_punct(tree: &TokenTree, punct: char) -> bool {
    matches!(tree, TokenTree::Punct(other) if other.as_char() == punct)
}

fn mentions(tokens: TokenStream, words: &[&str]) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(name) => words.iter().any(|word| name == word),
        TokenTree::Group(group) => mentions(group.stream(), words),
        _ => false,
    })
}
