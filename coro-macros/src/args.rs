//! The arguments of the attributes.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Path, Result, Token, Type};

const EXPECTED: &str =
    "expected `yields = T`, `resumes = R`, `send`, `boxed` or `crate = path::to::coro`";

/// What `#[coro::coroutine(..)]` was given.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) yields: Option<Type>,
    pub(crate) resumes: Option<Type>,
    pub(crate) send: Option<Span>,
    pub(crate) boxed: Option<Span>,
    pub(crate) krate: Option<Path>,
}

impl Args {
    /// Parses as much as makes sense and reports the rest, so that the function is still expanded.
    pub(crate) fn parse(tokens: TokenStream) -> (Args, Option<Error>) {
        let mut args = Args::default();
        let mut errors = None;
        let all = |input: ParseStream| -> Result<()> {
            while !input.is_empty() {
                if let Err(error) = args.parse_one(input) {
                    merge(&mut errors, error);
                    skip_to_comma(input)?;
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        let rest = all.parse2(tokens).err();
        merge(&mut errors, rest);
        merge(&mut errors, args.contradiction());
        (args, errors)
    }

    fn parse_one(&mut self, input: ParseStream) -> Result<()> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), EXPECTED))?;
        match name.to_string().as_str() {
            "yields" => set(&mut self.yields, &name, value(input, &name, "T")?),
            "resumes" => set(&mut self.resumes, &name, value(input, &name, "R")?),
            "send" => set(&mut self.send, &name, name.span()),
            "boxed" => set(&mut self.boxed, &name, name.span()),
            "crate" => {
                equals(input, &name, "path::to::coro")?;
                set(&mut self.krate, &name, input.call(Path::parse_mod_style)?)
            }
            unknown => Err(Error::new(
                name.span(),
                format!("unknown argument `{unknown}`, {EXPECTED}"),
            )),
        }?;
        match input.is_empty() || input.peek(Token![,]) {
            true => Ok(()),
            false if input.peek(Token![=]) => Err(input.error(format!("`{name}` takes no value"))),
            false => Err(input.error(format!("expected `,` after `{name}`"))),
        }
    }

    fn contradiction(&self) -> Option<Error> {
        match (&self.resumes, &self.yields) {
            (Some(resumes), None) => Some(Error::new_spanned(
                resumes,
                "`resumes = R` needs `yields = T`: \
                 only a coroutine that yields can be resumed with a value",
            )),
            _ => None,
        }
    }
}

fn value(input: ParseStream, name: &Ident, placeholder: &str) -> Result<Type> {
    equals(input, name, placeholder)?;
    input.parse()
}

fn equals(input: ParseStream, name: &Ident, placeholder: &str) -> Result<()> {
    match input.parse::<Option<Token![=]>>()? {
        Some(_) => Ok(()),
        None => Err(Error::new(
            name.span(),
            format!("`{name}` needs a value: write `{name} = {placeholder}`"),
        )),
    }
}

fn set<T>(place: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(name.span(), format!("`{name}` is given twice"))),
    }
}

fn skip_to_comma(input: ParseStream) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// Adds `error` to those that are reported already.
pub(crate) fn merge(errors: &mut Option<Error>, error: impl Into<Option<Error>>) {
    match (errors, error.into()) {
        (Some(errors), Some(error)) => errors.combine(error),
        (errors, Some(error)) => *errors = Some(error),
        (_, None) => {}
    }
}
