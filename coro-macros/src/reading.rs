//! The reader of an attribute's arguments. It goes on after a mistake as if the right thing had been
//! written, so that one mistake gives one error.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::ToTokens;

use crate::args::{Accepted, Args, Argument};
use crate::corrections;
use crate::mistake::{self, Mistake, Result, merge};
use crate::tokens::{self, Cursor, is_group, is_punct};
use crate::types;

/// Reads all arguments, and reports the mistakes in them.
pub(crate) fn read(accepted: &Accepted, tokens: TokenStream) -> (Args, Option<Mistake>) {
    let mut reader = Reader {
        accepted,
        args: Args::default(),
        mistakes: None,
    };
    let mut input = Cursor::new(tokens);
    while !input.is_at_end() {
        if let Err(mistake) = reader.argument(&mut input) {
            reader.report(mistake);
            skip_to_next(&mut input);
        }
        input.pass(',');
    }
    (reader.args, reader.mistakes)
}

struct Reader<'a> {
    accepted: &'a Accepted,
    args: Args,
    mistakes: Option<Mistake>,
}

/// A value that is read from the tokens with which the rest begins.
type Value<T> = fn(&mut Cursor) -> Result<T>;

impl Reader<'_> {
    fn report(&mut self, mistake: Mistake) {
        merge(&mut self.mistakes, mistake);
    }

    fn argument(&mut self, input: &mut Cursor) -> Result<()> {
        if let Some(ty) = self.bare_type(input) {
            let text = text(&ty);
            let words = format!("a type alone is no argument: write `yields = {text}`");
            self.report(Mistake::of(&ty, words));
            let span = mistake::whole(&ty);
            set(&mut self.args.yields, Argument::Yields, span, ty)?;
            return self.end(Argument::Yields, input);
        }
        let Some(TokenTree::Ident(name)) = input.tree(0).cloned() else {
            return Err(Mistake::new(place(input), self.accepted.expected()));
        };
        input.advance(1);
        let argument = self.find(&name)?;
        self.value(argument, name.span(), input)?;
        self.end(argument, input)
    }

    /// A type without a name before it, where the attribute takes a type.
    fn bare_type(&self, input: &mut Cursor) -> Option<TokenStream> {
        if !self.accepted.takes(Argument::Yields) {
            return None;
        }
        let length = types::length(input.rest())?;
        let ends = input.tree(length).is_none() || input.is_punct(length, ',');
        let ty = &input.rest()[..length];
        if !ends || !self.is_surely_a_type(ty) {
            return None;
        }
        input.take(length)
    }

    fn is_surely_a_type(&self, ty: &[TokenTree]) -> bool {
        const PRIMITIVE: [&str; 17] = [
            "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8",
            "u16", "u32", "u64", "u128", "usize",
        ];
        let name = match ty {
            [TokenTree::Ident(name)] => name,
            // An argument whose value has the wrong delimiters.
            [TokenTree::Ident(_), TokenTree::Group(_), ..] => return false,
            ty => {
                let is_macro = |pair: &[TokenTree]| {
                    is_punct(&pair[0], '!') && matches!(pair[1], TokenTree::Group(_))
                };
                return !ty.windows(2).any(is_macro);
            }
        };
        let text = name.to_string();
        let is_upper = text.starts_with(char::is_uppercase);
        PRIMITIVE.contains(&text.as_str())
            || is_upper && corrections::nearest(self.accepted, name).is_none()
    }

    fn find(&mut self, name: &Ident) -> Result<Argument> {
        let refuse = |message| Mistake::new(name.span(), message);
        let text = name.to_string();
        if let Some(argument) = self.accepted.find(&text) {
            return Ok(argument);
        }
        if let Some(message) = self.accepted.of_another(&text) {
            return Err(refuse(message));
        }
        if let Some(argument) = corrections::nearest(self.accepted, name) {
            let usage = argument.usage();
            let words = format!("unknown argument `{name}`: did you mean {usage}?");
            self.report(refuse(words));
            return Ok(argument);
        }
        Err(refuse(match corrections::remedy(name) {
            Some(remedy) => format!("unknown argument `{name}`: {remedy}"),
            None => format!("unknown argument `{name}`, {}", self.accepted.expected()),
        }))
    }

    fn value(&mut self, argument: Argument, span: Span, input: &mut Cursor) -> Result<()> {
        match argument {
            Argument::Yields | Argument::Resumes => {
                let ty = self.type_after_equals(argument, span, input);
                self.args.unreadable |= ty.is_err();
                let place = match argument {
                    Argument::Yields => &mut self.args.yields,
                    _ => &mut self.args.resumes,
                };
                set(place, argument, span, ty?)
            }
            Argument::Crate => {
                self.equals(argument, span, input)?;
                let path = self.unquoted(argument, input, path)?;
                set(&mut self.args.krate, argument, span, path)
            }
            Argument::Send => set(&mut self.args.send, argument, span, span),
            Argument::Boxed => set(&mut self.args.boxed, argument, span, span),
            Argument::Real => set(&mut self.args.real, argument, span, span),
            Argument::Tokio => set(&mut self.args.tokio, argument, span, span),
            Argument::Threads => self.threads(span, input),
            Argument::Sim => set(&mut self.args.sim, argument, span, span),
            Argument::Seeds | Argument::Late => {
                self.equals(argument, span, input)?;
                let number = self.unquoted(argument, input, integer)?;
                let place = match argument {
                    Argument::Seeds => &mut self.args.seeds,
                    _ => &mut self.args.late,
                };
                set(place, argument, span, number)
            }
        }
    }

    /// If the number cannot be read, there is one all the same: the function is given its core.
    fn threads(&mut self, span: Span, input: &mut Cursor) -> Result<()> {
        let argument = Argument::Threads;
        let read = self.equals(argument, span, input);
        let read = read.and_then(|()| self.unquoted(argument, input, integer));
        let (number, outcome) = match read {
            Ok(number) => (number, Ok(())),
            Err(mistake) => (Literal::usize_unsuffixed(1), Err(mistake)),
        };
        set(&mut self.args.threads, argument, span, number)?;
        outcome
    }

    fn type_after_equals(
        &mut self,
        argument: Argument,
        span: Span,
        input: &mut Cursor,
    ) -> Result<TokenStream> {
        self.equals(argument, span, input)?;
        let ty = self.unquoted(argument, input, ty)?;
        Ok(without_parentheses(ty))
    }

    /// Parses the `=` before a value.
    fn equals(&mut self, argument: Argument, span: Span, input: &mut Cursor) -> Result<()> {
        let usage = argument.usage();
        let missing = || {
            Mistake::new(
                span,
                format!("`{}` needs a value: write {usage}", argument.name()),
            )
        };
        let two = input.is_punct(0, '=') && input.is_punct(1, '=');
        let colon = input.is_punct(0, ':') && !input.is_punct(1, ':');
        if two || colon {
            let words = format!("the value stands after one `=`: write {usage}");
            self.report(Mistake::new(place(input), words));
            input.advance(if two { 2 } else { 1 });
            return Ok(());
        }
        if input.group(0, Delimiter::Parenthesis).is_some() {
            self.report(missing());
            return Ok(());
        }
        match input.pass('=') && !ends(input) {
            true => Ok(()),
            false => Err(missing()),
        }
    }

    /// Parses a value that may wrongly stand in quotes.
    fn unquoted<T: ToTokens>(
        &mut self,
        argument: Argument,
        input: &mut Cursor,
        read: Value<T>,
    ) -> Result<T> {
        let Some((place, inside)) = quoted(input) else {
            return read(input);
        };
        input.advance(1);
        let mut inside = Cursor::new(inside);
        let value = read(&mut inside)?;
        let words = format!(
            "the value has no quotes: write `{} = {}`",
            argument.name(),
            text(&value)
        );
        self.report(Mistake::new(place, words));
        match inside.is_at_end() {
            true => Ok(value),
            false => Err(Mistake::new(place, "unexpected token")),
        }
    }

    /// Reads up to the comma after an argument.
    fn end(&mut self, argument: Argument, input: &mut Cursor) -> Result<()> {
        let name = argument.name();
        if ends(input) {
            return Ok(());
        }
        if input.is_punct(0, '=') {
            return Err(Mistake::new(
                place(input),
                format!("`{name}` takes no value"),
            ));
        }
        let mistake = Mistake::new(place(input), format!("expected `,` after `{name}`"));
        if input.pass(';') || self.begins_known(input) {
            self.report(mistake);
            return Ok(());
        }
        Err(mistake)
    }

    /// Whether the name of an argument that this attribute takes is next.
    fn begins_known(&self, input: &Cursor) -> bool {
        match input.tree(0) {
            Some(TokenTree::Ident(name)) => self.accepted.find(&name.to_string()).is_some(),
            _ => false,
        }
    }
}

fn set<T>(place: &mut Option<T>, argument: Argument, span: Span, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => {
            let name = argument.name();
            Err(Mistake::new(span, format!("`{name}` is given twice")))
        }
    }
}

/// The tokens with few spaces, for a message.
fn text(tokens: &impl ToTokens) -> String {
    let spaced = tokens.to_token_stream().to_string();
    let mut text = String::new();
    for (at, letter) in spaced.char_indices() {
        let next = spaced[at + letter.len_utf8()..].chars().next();
        let is_word = |c: char| c.is_alphanumeric() || "_'".contains(c);
        let separates = text.ends_with(|c: char| is_word(c) || ",;+=".contains(c))
            && next.is_some_and(|c| is_word(c) || "+=&".contains(c));
        if letter != ' ' || separates {
            text.push(letter);
        }
    }
    text
}

fn place(input: &Cursor) -> Span {
    mistake::place(input.rest())
}

fn ends(input: &Cursor) -> bool {
    input.is_at_end() || input.is_punct(0, ',')
}

fn ty(input: &mut Cursor) -> Result<TokenStream> {
    let length = types::length(input.rest());
    let ty = length.and_then(|length| input.take(length));
    ty.ok_or_else(|| Mistake::new(place(input), "expected a type"))
}

/// The type without parentheses, which a macro's argument may need, around it.
fn without_parentheses(ty: TokenStream) -> TokenStream {
    let trees = tokens::trees(ty.clone());
    match trees.as_slice() {
        [tree] if is_group(tree, Delimiter::Parenthesis) => match types::bare(ty) {
            bare if matches!(bare.as_slice(), [tree] if is_group(tree, Delimiter::Parenthesis)) => {
                trees.into_iter().collect()
            }
            bare => bare.into_iter().collect(),
        },
        _ => ty,
    }
}

/// A path of plain words.
fn path(input: &mut Cursor) -> Result<TokenStream> {
    let is_colons = |at: usize| input.is_punct(at, ':') && input.is_punct(at + 1, ':');
    let mut length = if is_colons(0) { 2 } else { 0 };
    while let Some(TokenTree::Ident(_)) = input.tree(length) {
        length += 1;
        match is_colons(length) {
            true => length += 2,
            false => break,
        }
    }
    let is_whole = matches!(
        input.tree(length.wrapping_sub(1)),
        Some(TokenTree::Ident(_))
    );
    let path = input.take(length).filter(|_| is_whole);
    path.ok_or_else(|| Mistake::new(place(input), "expected a path"))
}

fn integer(input: &mut Cursor) -> Result<Literal> {
    let wrong = Mistake::new(place(input), "expected integer literal");
    let Some(TokenTree::Literal(literal)) = input.tree(0).cloned() else {
        return Err(wrong);
    };
    let text = literal.to_string();
    let is_float = || {
        let has_radix = ["0x", "0o", "0b"]
            .iter()
            .any(|radix| text.starts_with(radix));
        !has_radix && text.contains(['.', 'e', 'E', 'f'])
    };
    if !text.starts_with(|c: char| c.is_ascii_digit()) || is_float() {
        return Err(wrong);
    }
    input.advance(1);
    Ok(literal)
}

/// Whether an integer is zero, in any notation.
pub(crate) fn is_zero(literal: &Literal) -> bool {
    let text = literal.to_string();
    let radix = ["0x", "0o", "0b"]
        .iter()
        .find_map(|radix| text.strip_prefix(radix));
    let digits = radix.unwrap_or(&text);
    let mut digits = digits
        .chars()
        .take_while(|c| c.is_ascii_hexdigit() || *c == '_');
    digits.all(|c| c == '0' || c == '_')
}

/// The tokens that a string holds, with the place of the string.
fn quoted(input: &Cursor) -> Option<(Span, TokenStream)> {
    let Some(TokenTree::Literal(literal)) = input.tree(0) else {
        return None;
    };
    let text = literal.to_string();
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let span = literal.span();
    Some((span, respanned(TokenStream::from_str(inside).ok()?, span)))
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |tree: TokenTree| {
        let mut tree = match tree {
            TokenTree::Group(group) => {
                Group::new(group.delimiter(), respanned(group.stream(), span)).into()
            }
            tree => tree,
        };
        tree.set_span(span);
        tree
    };
    tokens.into_iter().map(respan).collect()
}

/// Skips to the next comma before an argument: types have commas too.
fn skip_to_next(input: &mut Cursor) {
    while !input.is_at_end() && !is_before_argument(input) {
        input.advance(1);
    }
}

fn is_before_argument(input: &Cursor) -> bool {
    let ends = |at: usize| match input.tree(at) {
        None => true,
        Some(tree) => is_punct(tree, ',') || is_punct(tree, '='),
    };
    input.is_punct(0, ',')
        && match input.tree(1) {
            None | Some(TokenTree::Literal(_)) => true,
            Some(TokenTree::Ident(_)) => ends(2),
            Some(_) => false,
        }
}
