//! The reader of an attribute's arguments. It goes on after a mistake as if the right thing had been
//! written, so that one mistake gives one error.

use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Error, Lit, LitInt, LitStr, Path, Result, Token, Type, token};

use crate::args::{Accepted, Args, Argument, merge};
use crate::corrections;

/// Reads all arguments, and reports the mistakes in them.
pub(crate) fn read(accepted: &Accepted, tokens: proc_macro2::TokenStream) -> (Args, Option<Error>) {
    let mut reader = Reader {
        accepted,
        args: Args::default(),
        errors: None,
    };
    let all = |input: ParseStream<'_>| -> Result<()> {
        while !input.is_empty() {
            if let Err(error) = reader.argument(input) {
                reader.report(error);
                skip_to_next(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let rest = all.parse2(tokens).err();
    merge(&mut reader.errors, rest);
    (reader.args, reader.errors)
}

struct Reader<'a> {
    accepted: &'a Accepted,
    args: Args,
    errors: Option<Error>,
}

impl Reader<'_> {
    fn report(&mut self, error: Error) {
        merge(&mut self.errors, error);
    }

    fn argument(&mut self, input: ParseStream<'_>) -> Result<()> {
        if let Some(ty) = self.bare_type(input) {
            let text = text(&ty);
            let words = format!("a type alone is no argument: write `yields = {text}`");
            self.report(Error::new_spanned(&ty, words));
            let span = ty.span();
            set(&mut self.args.yields, Argument::Yields, span, ty)?;
            return self.end(Argument::Yields, input);
        }
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), self.accepted.expected()))?;
        let argument = self.find(&name)?;
        self.value(argument, name.span(), input)?;
        self.end(argument, input)
    }

    /// A type without a name before it, where the attribute takes a type.
    fn bare_type(&self, input: ParseStream<'_>) -> Option<Type> {
        let ahead = input.fork();
        let ty: Type = ahead.parse().ok()?;
        let ends = ahead.is_empty() || ahead.peek(Token![,]);
        if !ends || !self.accepted.takes(Argument::Yields) || !self.is_surely_a_type(&ty) {
            return None;
        }
        input.parse().ok()
    }

    fn is_surely_a_type(&self, ty: &Type) -> bool {
        const PRIMITIVE: [&str; 17] = [
            "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8",
            "u16", "u32", "u64", "u128", "usize",
        ];
        let Type::Path(path) = ty else {
            return !matches!(ty, Type::Infer(_) | Type::Macro(_) | Type::Verbatim(_));
        };
        let Some(name) = path.path.get_ident() else {
            return true;
        };
        let text = name.to_string();
        let is_upper = text.starts_with(char::is_uppercase);
        PRIMITIVE.contains(&text.as_str())
            || is_upper && corrections::nearest(self.accepted, name).is_none()
    }

    fn find(&mut self, name: &Ident) -> Result<Argument> {
        let refuse = |message| Error::new(name.span(), message);
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

    fn value(&mut self, argument: Argument, span: Span, input: ParseStream<'_>) -> Result<()> {
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
                let path = self.unquoted(argument, input, Path::parse_mod_style)?;
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
                let number = self.unquoted(argument, input, LitInt::parse)?;
                let place = match argument {
                    Argument::Seeds => &mut self.args.seeds,
                    _ => &mut self.args.late,
                };
                set(place, argument, span, number)
            }
        }
    }

    /// If the number cannot be read, there is one all the same: the function is given its core.
    fn threads(&mut self, span: Span, input: ParseStream<'_>) -> Result<()> {
        let argument = Argument::Threads;
        let read = self.equals(argument, span, input);
        let read = read.and_then(|()| self.unquoted(argument, input, LitInt::parse));
        let (number, error) = match read {
            Ok(number) => (number, Ok(())),
            Err(error) => (LitInt::new("1", span), Err(error)),
        };
        set(&mut self.args.threads, argument, span, number)?;
        error
    }

    fn type_after_equals(
        &mut self,
        argument: Argument,
        span: Span,
        input: ParseStream<'_>,
    ) -> Result<Type> {
        self.equals(argument, span, input)?;
        let ty = self.unquoted(argument, input, Type::parse)?;
        Ok(match ty {
            Type::Paren(inner) => *inner.elem,
            ty => ty,
        })
    }

    /// Parses the `=` before a value.
    fn equals(&mut self, argument: Argument, span: Span, input: ParseStream<'_>) -> Result<()> {
        let usage = argument.usage();
        let missing = || {
            Error::new(
                span,
                format!("`{}` needs a value: write {usage}", argument.name()),
            )
        };
        if input.peek(Token![==]) || input.peek(Token![:]) && !input.peek(Token![::]) {
            let words = format!("the value stands after one `=`: write {usage}");
            self.report(Error::new(input.span(), words));
            return match input.peek(Token![==]) {
                true => input.parse::<Token![==]>().map(drop),
                false => input.parse::<Token![:]>().map(drop),
            };
        }
        if input.peek(token::Paren) {
            self.report(missing());
            return Ok(());
        }
        let equals = input.parse::<Option<Token![=]>>()?;
        match equals.is_some() && !ends(input) {
            true => Ok(()),
            false => Err(missing()),
        }
    }

    /// Parses a value that may wrongly stand in quotes.
    fn unquoted<T: ToTokens>(
        &mut self,
        argument: Argument,
        input: ParseStream<'_>,
        parser: fn(ParseStream<'_>) -> Result<T>,
    ) -> Result<T> {
        if !input.peek(LitStr) {
            return input.call(parser);
        }
        let quoted: LitStr = input.parse()?;
        let value = quoted.parse_with(parser)?;
        let words = format!(
            "the value has no quotes: write `{} = {}`",
            argument.name(),
            text(&value)
        );
        self.report(Error::new(quoted.span(), words));
        Ok(value)
    }

    /// Reads up to the comma after an argument.
    fn end(&mut self, argument: Argument, input: ParseStream<'_>) -> Result<()> {
        let name = argument.name();
        if ends(input) {
            return Ok(());
        }
        if input.peek(Token![=]) {
            return Err(input.error(format!("`{name}` takes no value")));
        }
        let error = input.error(format!("expected `,` after `{name}`"));
        if input.parse::<Option<Token![;]>>()?.is_some() || self.begins_known(input) {
            self.report(error);
            return Ok(());
        }
        Err(error)
    }

    /// Whether the name of an argument that this attribute takes is next.
    fn begins_known(&self, input: ParseStream<'_>) -> bool {
        let name = input.fork().call(Ident::parse_any);
        name.is_ok_and(|name| self.accepted.find(&name.to_string()).is_some())
    }
}

fn set<T>(place: &mut Option<T>, argument: Argument, span: Span, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => {
            let name = argument.name();
            Err(Error::new(span, format!("`{name}` is given twice")))
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

fn ends(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Skips to the next comma before an argument: types have commas too.
fn skip_to_next(input: ParseStream<'_>) -> Result<()> {
    let is_before_argument = || input.peek(Token![,]) && begins_argument(&input.fork());
    while !input.is_empty() && !is_before_argument() {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn begins_argument(ahead: ParseStream<'_>) -> bool {
    let comma = ahead.parse::<Token![,]>().is_ok();
    let ends = |ahead: ParseStream<'_>| ends(ahead) || ahead.peek(Token![=]);
    comma
        && (ahead.is_empty()
            || ahead.peek(Lit)
            || ahead.call(Ident::parse_any).is_ok() && ends(ahead))
}
