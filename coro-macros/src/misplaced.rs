//! Yield points that stand where the coroutine cannot suspend.
//!
//! The compiler refuses all of them, but in its own words and more than once. A yield point that
//! can be seen in the tokens is reported here, once. A yield point that a macro hides is left to
//! the compiler. The body is not parsed: tokens that this code does not understand are taken to be
//! right.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::quote;

use crate::body;
use crate::braces::Braces;
use crate::item::{Body, Function};
use crate::mistake::{Mistake, merge};
use crate::rewritten;
use crate::tokens::{Cursor, is_group, is_punct, mentions};

/// Reports the yield points in closures, nested functions, blocks and constants. Also reports every
/// `.await` of a body that `cannot_wait`.
pub(crate) fn refuse(function: &mut Function, cannot_wait: bool) -> Option<Mistake> {
    let message =
        "this generator cannot wait, since its function is not `async`: make it an `async fn`";
    match &mut function.body {
        Body::Braced(body) => {
            let (name, output) = (&function.sig.ident, function.sig.returned());
            refuse_in(body, name, output, cannot_wait.then_some(message))
        }
        Body::Missing(_) => None,
    }
}

/// The same for the body of a function with this name and return type. `cannot_wait` is the message for
/// an `.await`, if the body cannot wait.
pub(crate) fn refuse_in(
    body: &mut Braces,
    name: &Ident,
    output: Option<&TokenStream>,
    cannot_wait: Option<&'static str>,
) -> Option<Mistake> {
    let by_an_attribute = body.is_by_an_attribute();
    let must_not_wait = cannot_wait.is_some() && body.may_wait();
    if !body.may_have_places() && !must_not_wait {
        return None;
    }
    let mut found = Found {
        cannot_wait,
        ..Found::default()
    };
    if by_an_attribute {
        merge(&mut found.errors, rewritten::guard(&body.group, name));
    }
    let outermost = Surroundings {
        place: None,
        unsure: by_an_attribute,
    };
    scan(body.group.stream(), outermost, &mut found);
    // The compiler would report any replacement for a constant expression again, so the whole body
    // is replaced.
    if found.evaluated && !output.is_some_and(|ty| body::mentions_impl(ty.clone())) {
        *body = Braces::instead(quote!(loop {}));
    }
    let message = match found.in_async_block {
        true if output.is_some_and(is_boxed_future) => ASYNC_TRAIT,
        true if by_an_attribute => rewritten::IN_ASYNC_BLOCK,
        _ => return found.errors,
    };
    found
        .errors
        .map(|error| Mistake::new(error.span(), message))
}

const ASYNC_TRAIT: &str = "an attribute above has put this body into an `async` block: \
    if it is `#[async_trait]`, remove it and write `#[coro::coroutine(boxed, send)]`";

/// Whether the function returns a boxed future, as `#[async_trait]` makes it do.
fn is_boxed_future(output: &TokenStream) -> bool {
    ["Pin", "Box", "dyn", "Future"]
        .iter()
        .all(|word| mentions(output.clone(), &[word]))
}

#[derive(Default)]
struct Found {
    errors: Option<Mistake>,
    in_async_block: bool,
    /// Whether the compiler would report any replacement for a part of the body.
    evaluated: bool,
    /// The message for an `.await`, if the body cannot wait.
    cannot_wait: Option<&'static str>,
}

impl Found {
    fn add_await(&mut self, word: &Ident) {
        let error = self
            .cannot_wait
            .map(|message| Mistake::new(word.span(), message));
        merge(&mut self.errors, error);
    }

    /// Reports the keyword of unstable Rust. The compiler reports it too, in other words, so that
    /// the body is replaced: it then does so once.
    fn add_keyword(&mut self, word: &Ident) {
        let error = Mistake::new(
            word.span(),
            "the keyword `yield` is not stable Rust: write `yield_!(value)`",
        );
        merge(&mut self.errors, error);
        self.evaluated = true;
    }

    fn add(&mut self, name: &Ident, place: Place) {
        merge(&mut self.errors, place.error(name));
        self.in_async_block |= matches!(place, Place::AsyncBlock);
        self.evaluated |= matches!(place, Place::ConstBlock | Place::Constant);
    }
}

/// A place in which a yield point must not stand.
#[derive(Clone, Copy)]
enum Place {
    Closure,
    AsyncBlock,
    ConstBlock,
    Function,
    Constant,
}

impl Place {
    fn error(self, name: &Ident) -> Mistake {
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
        Mistake::new(
            name.span(),
            format!("`{name}!` cannot be used inside {place}: {remedy}"),
        )
    }
}

/// Whether a macro of that name, of the standard library, evaluates its arguments where it stands.
fn evaluates(name: &Ident) -> bool {
    const KNOWN: [&str; 16] = [
        "assert",
        "assert_eq",
        "assert_ne",
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
        "vec",
        "write",
        "writeln",
    ];
    KNOWN.iter().any(|known| name == known)
}

/// The place of all tokens between two delimiters.
#[derive(Clone, Copy)]
struct Surroundings {
    place: Option<Place>,
    /// Whether a closure may reach further than it seems, or an attribute has rewritten the body.
    unsure: bool,
}

fn scan(tokens: TokenStream, around: Surroundings, found: &mut Found) {
    let mut level = Level {
        cursor: Cursor::new(tokens),
        around,
        passing: None,
        after_closure: false,
        annotated: false,
    };
    while !level.cursor.is_at_end() {
        level.step(found);
        level.cursor.advance(1);
    }
}

/// The tokens between two delimiters.
struct Level {
    cursor: Cursor,
    around: Surroundings,
    /// The place of the tokens up to the next `;`, or up to the next comma if it is a closure.
    passing: Option<Place>,
    /// Whether a closure began since the last `;`. A comma in its types would end it too early.
    after_closure: bool,
    /// Whether the item that begins here has an attribute that makes it a coroutine.
    annotated: bool,
}

impl Level {
    fn step(&mut self, found: &mut Found) {
        match self.cursor.tree(0) {
            Some(TokenTree::Punct(punct)) => self.punct(punct.as_char(), found),
            Some(TokenTree::Ident(name)) => self.word(&name.clone(), found),
            Some(TokenTree::Group(group)) => self.group(group.delimiter(), group.stream(), found),
            Some(TokenTree::Literal(_)) | None => {}
        }
    }

    fn punct(&mut self, punct: char, found: &mut Found) {
        match punct {
            ',' if matches!(self.passing, Some(Place::Closure)) => self.passing = None,
            ';' => {
                self.passing = None;
                self.after_closure = false;
                self.annotated = false;
            }
            '|' if self.at_operand() => self.closure(found),
            '|' if self.cursor.is_punct(1, '|') => self.cursor.advance(1),
            '#' => self.attribute(),
            _ => {}
        }
    }

    fn word(&mut self, name: &Ident, found: &mut Found) {
        match name.to_string().as_str() {
            "yield_" | "yield_from" if self.cursor.is_punct(1, '!') => {
                if let Some(place) = self.here() {
                    found.add(name, place);
                    self.cursor.advance(2);
                }
            }
            // A generator of its own, whose macro scans it.
            "generator" if self.cursor.is_macro_call() => self.cursor.advance(2),
            "yield" => found.add_keyword(name),
            "await" if found.cannot_wait.is_some() && self.is_await_of_the_body() => {
                found.add_await(name)
            }
            "macro_rules" => self.cursor.advance(3),
            "async" => {
                let body = if self.cursor.is_word(1, "move") { 2 } else { 1 };
                self.block(body, Place::AsyncBlock, found);
            }
            "const" if self.braces(1).is_some() => self.block(1, Place::ConstBlock, found),
            "const" | "static" if self.at_statement() && !self.cursor.is_word(1, "fn") => {
                self.passing = Some(Place::Constant);
            }
            "fn" if matches!(self.cursor.tree(1), Some(TokenTree::Ident(_))) => {
                self.function(found);
            }
            // The use that most macros make of their tokens is not known.
            _ if self.cursor.is_macro_call() && self.here().is_none() && !evaluates(name) => {
                self.cursor.advance(2);
            }
            _ => {}
        }
    }

    /// Whether this `await` certainly waits in the body itself.
    fn is_await_of_the_body(&self) -> bool {
        let is_after_dot = self
            .cursor
            .before(1)
            .is_some_and(|tree| is_punct(tree, '.'));
        is_after_dot && self.here().is_none() && !self.around.unsure && !self.after_closure
    }

    fn group(&mut self, delimiter: Delimiter, tokens: TokenStream, found: &mut Found) {
        if delimiter == Delimiter::Brace {
            self.annotated = false;
        }
        scan(tokens, self.surroundings(self.here()), found);
    }

    /// Scans the block that is `ahead`, if there is one, and passes it.
    fn block(&mut self, ahead: usize, place: Place, found: &mut Found) {
        if let Some(block) = self.braces(ahead).map(Group::stream) {
            self.cursor.advance(ahead);
            scan(block, self.surroundings(Some(place)), found);
        }
    }

    fn surroundings(&self, place: Option<Place>) -> Surroundings {
        Surroundings {
            place,
            unsure: self.around.unsure || self.after_closure,
        }
    }

    fn function(&mut self, found: &mut Found) {
        let is_end = |tree: &TokenTree| is_group(tree, Delimiter::Brace) || is_punct(tree, ';');
        let Some(to_body) = self.cursor.after(0).iter().position(is_end) else {
            return;
        };
        match std::mem::take(&mut self.annotated) {
            true => self.cursor.advance(to_body + 1),
            false => self.block(to_body + 1, Place::Function, found),
        }
    }

    /// Passes the arguments of a closure, from its first bar to the second. A bar may also stand
    /// between the alternatives of a pattern, which is not a closure.
    fn closure(&mut self, found: &mut Found) {
        let bar = |tree: &TokenTree| is_punct(tree, '|');
        let Some(second) = self.cursor.after(0).iter().position(bar) else {
            return;
        };
        let after = self.cursor.after(second + 1);
        let is_arrow = |pair: &[TokenTree]| is_punct(&pair[0], '=') && is_punct(&pair[1], '>');
        let comma = after.iter().position(|tree| is_punct(tree, ','));
        let end = comma.unwrap_or(after.len());
        if after[..end].windows(2).any(is_arrow) {
            return;
        }
        let has_type =
            matches!(after, [minus, more, ..] if is_punct(minus, '-') && is_punct(more, '>'));
        let is_block = |tree: &TokenTree| is_group(tree, Delimiter::Brace);
        let block = after.iter().position(is_block).filter(|_| has_type);
        self.after_closure = true;
        self.cursor.advance(second + 1);
        match block {
            // A closure with a return type has a block for its body, and the type may have commas.
            Some(block) => self.block(block + 1, Place::Closure, found),
            None => self.passing = Some(Place::Closure),
        }
    }

    fn attribute(&mut self) {
        if let Some(TokenTree::Group(group)) = self.cursor.tree(1) {
            self.annotated |= mentions(group.stream(), &["coroutine", "main", "test"]);
            self.cursor.advance(1);
        }
    }

    /// The place of the token that is read.
    fn here(&self) -> Option<Place> {
        self.passing.or(self.around.place)
    }

    /// Whether an expression may begin here: then a bar begins a closure and is not an operator.
    fn at_operand(&self) -> bool {
        const BEFORE: [&str; 9] = [
            "move", "async", "static", "return", "break", "in", "if", "while", "match",
        ];
        match self.cursor.before(1) {
            None => true,
            Some(TokenTree::Punct(punct)) => match punct.as_char() {
                '?' => false,
                '>' => self
                    .cursor
                    .before(2)
                    .is_some_and(|tree| is_punct(tree, '=')),
                _ => true,
            },
            Some(TokenTree::Ident(name)) => BEFORE.iter().any(|before| name == before),
            Some(_) => false,
        }
    }

    fn at_statement(&self) -> bool {
        match self.cursor.before(1) {
            None | Some(TokenTree::Group(_)) => true,
            Some(tree) => is_punct(tree, ';'),
        }
    }

    fn braces(&self, ahead: usize) -> Option<&Group> {
        self.cursor.group(ahead, Delimiter::Brace)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    /// How many mistakes are seen in a body.
    fn mistakes(body: &str, cannot_wait: bool) -> usize {
        let item = format!("fn f() {{ {body} }}");
        let tokens = TokenStream::from_str(&item).expect("the text is made of tokens");
        let mut function = Function::parse(tokens).expect("the text is a function");
        let errors = refuse(&mut function, cannot_wait);
        errors.map_or(0, |errors| errors.count())
    }

    #[test]
    fn yield_points_of_the_body_itself_are_right() {
        for body in [
            "yield_!(1); a | yield_from!(b); a || yield_from!(b)",
            "match yield_from!(a) { B | C => yield_!(1), D(|x| x) => yield_!(2) }",
            "let f = |x| x; yield_!(f(1)); g(|x| x, yield_!(2))",
            "fn g() {} yield_!(1); static A: u8 = 1; yield_!(2)",
            "#[coroutine] fn g() { yield_!(1) } macro_rules! m { () => { || yield_!(1) } }",
            "select! { a = async { yield_!(1) } => b }",
        ] {
            assert_eq!(mistakes(body, false), 0, "{body}");
        }
    }

    #[test]
    fn yield_points_elsewhere_are_mistakes() {
        for body in [
            "|| yield_!(1)",
            "g(move |x| yield_from!(x), 1)",
            "|x| -> Result<A, B> { yield_!(x) }",
            "async move { yield_!(1) }",
            "const { yield_!(1) }",
            "const A: u8 = yield_!(1);",
            "fn g<T>(x: T) -> T where T: A { yield_!(1) }",
            "unknown!(async { yield_!(1) }); vec![async { yield_!(1) }]",
        ] {
            assert_eq!(mistakes(body, false), 1, "{body}");
        }
    }

    #[test]
    fn awaits_are_mistakes_only_where_they_certainly_are_of_the_body() {
        for (body, expected) in [
            ("a.await", 1),
            ("yield_!(a(b.await)?); vec![c.await]", 2),
            ("if a.await { |x| x }; b.await", 2),
            ("async { a.await }; async move { b(c.await) }", 0),
            (
                "async |x| x.await; async |x| -> Result<A, B> { x.await }",
                0,
            ),
            ("g(async |x| h::<A, B>(x).await)", 0),
            (
                "async fn g() { a.await } impl A { async fn g() { a.await } }",
                0,
            ),
            ("unknown!(a.await); a.r#await; a.b", 0),
        ] {
            assert_eq!(mistakes(body, true), expected, "{body}");
            assert_eq!(mistakes(body, false), 0, "{body}");
        }
    }
}
