//! Yield points that stand where the coroutine cannot suspend.
//!
//! The compiler refuses them all, but in its own words and more than once. Those that can be seen
//! in the tokens are reported here, once; those that a macro hides are left to the compiler. Nothing
//! is parsed, so that what is not understood is taken to be right.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Error, Signature};

use crate::args::merge;
use crate::body;
use crate::item::{Body, Function};

/// Reports the yield points in closures and nested functions, blocks and constants.
pub(crate) fn refuse(function: &mut Function) -> Option<Error> {
    let Body::Braced(body) = &mut function.body else {
        return None;
    };
    if has_no_place_for_them(body) {
        return None;
    }
    let mut found = Found::default();
    scan(body.stream(), None, &mut found);
    // Whatever took the place of what the compiler evaluates would be an error again.
    if found.evaluated && !body::mentions_impl(function.sig.output.to_token_stream()) {
        *body = Group::new(Delimiter::Brace, quote!(loop {}));
    }
    match found.in_async_block && is_boxed_future(&function.sig) {
        true => found
            .errors
            .map(|error| Error::new(error.span(), ASYNC_TRAIT)),
        false => found.errors,
    }
}

const ASYNC_TRAIT: &str = "an attribute above has put this body into an `async` block: \
    if it is `#[async_trait]`, remove it and write `#[coro::coroutine(boxed, send)]`";

/// Whether the text shows at a glance that nothing is misplaced, which is cheaper than to look.
fn has_no_place_for_them(body: &Group) -> bool {
    let places = ["|", "async", "const", "static", "fn"];
    let text = body.span().source_text();
    text.is_some_and(|text| !places.iter().any(|place| text.contains(place)))
}

/// Whether the function returns what `#[async_trait]` makes it return.
fn is_boxed_future(sig: &Signature) -> bool {
    let output = sig.output.to_token_stream();
    ["Pin", "Box", "dyn", "Future"]
        .iter()
        .all(|word| mentions(output.clone(), &[word]))
}

#[derive(Default)]
struct Found {
    errors: Option<Error>,
    in_async_block: bool,
    /// In a place that the compiler evaluates.
    evaluated: bool,
}

impl Found {
    fn add(&mut self, name: &Ident, place: Place) {
        merge(&mut self.errors, place.error(name));
        self.in_async_block |= matches!(place, Place::AsyncBlock);
        self.evaluated |= matches!(place, Place::ConstBlock | Place::Constant);
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

fn scan(tokens: TokenStream, place: Option<Place>, found: &mut Found) {
    let trees = tokens.into_iter().collect();
    let mut level = Level {
        trees,
        at: 0,
        place,
        passing: None,
        annotated: false,
    };
    while level.at < level.trees.len() {
        level.step(found);
        level.at += 1;
    }
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
    fn step(&mut self, found: &mut Found) {
        match &self.trees[self.at] {
            TokenTree::Punct(punct) => self.punct(punct.as_char()),
            TokenTree::Ident(name) => self.word(&name.clone(), found),
            TokenTree::Group(group) => self.group(group.delimiter(), group.stream(), found),
            TokenTree::Literal(_) => {}
        }
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

    fn word(&mut self, name: &Ident, found: &mut Found) {
        match name.to_string().as_str() {
            "yield_" | "yield_from" if self.is_punct(1, '!') => {
                if let Some(place) = self.here() {
                    found.add(name, place);
                    self.at += 2;
                }
            }
            "macro_rules" => self.at += 3,
            "async" => {
                let body = if self.is_word(1, "move") { 2 } else { 1 };
                self.block(body, Place::AsyncBlock, found);
            }
            "const" if self.braces(1).is_some() => self.block(1, Place::ConstBlock, found),
            "const" | "static" if self.at_statement() && !self.is_word(1, "fn") => {
                self.passing = Some(Place::Constant);
            }
            "fn" if matches!(self.tree(1), Some(TokenTree::Ident(_))) => self.function(found),
            // What other macros make of their tokens is not known.
            _ if self.is_macro_call() && self.here().is_none() => self.at += 2,
            _ => {}
        }
    }

    fn group(&mut self, delimiter: Delimiter, tokens: TokenStream, found: &mut Found) {
        if delimiter == Delimiter::Brace {
            self.annotated = false;
        }
        scan(tokens, self.here(), found);
    }

    /// Passes the block that lies ahead, if one does.
    fn block(&mut self, ahead: usize, place: Place, found: &mut Found) {
        if let Some(block) = self.braces(ahead).map(Group::stream) {
            self.at += ahead;
            scan(block, Some(place), found);
        }
    }

    fn function(&mut self, found: &mut Found) {
        let is_end = |tree: &TokenTree| match tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        let Some(to_body) = self.trees[self.at..].iter().position(is_end) else {
            return;
        };
        match std::mem::take(&mut self.annotated) {
            true => self.at += to_body,
            false => self.block(to_body, Place::Function, found),
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
