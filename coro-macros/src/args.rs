//! The arguments of the attributes.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Lit, Path, Result, Token, Type};

/// An argument that some attribute takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Argument {
    Yields,
    Resumes,
    Send,
    Boxed,
    Real,
    Tokio,
    Crate,
}

/// The arguments that an attribute takes.
pub(crate) struct Accepted {
    names: &'static [Argument],
    /// The error for arguments that only `#[coro::coroutine]` takes.
    of_coroutines: Option<&'static str>,
}

pub(crate) const COROUTINE: Accepted = Accepted {
    names: &[
        Argument::Yields,
        Argument::Resumes,
        Argument::Send,
        Argument::Boxed,
        Argument::Crate,
    ],
    of_coroutines: None,
};

pub(crate) const COROUTINES: Accepted = Accepted {
    names: &[Argument::Send, Argument::Crate],
    of_coroutines: Some("only `send` and `crate = path::to::coro` can be handed down"),
};

pub(crate) const MAIN: Accepted = Accepted {
    names: &[Argument::Tokio, Argument::Crate],
    of_coroutines: None,
};

pub(crate) const TEST: Accepted = Accepted {
    names: &[Argument::Real, Argument::Tokio, Argument::Crate],
    of_coroutines: None,
};

impl Argument {
    fn name(self) -> &'static str {
        match self {
            Argument::Yields => "yields",
            Argument::Resumes => "resumes",
            Argument::Send => "send",
            Argument::Boxed => "boxed",
            Argument::Real => "real",
            Argument::Tokio => "tokio",
            Argument::Crate => "crate",
        }
    }

    fn placeholder(self) -> Option<&'static str> {
        match self {
            Argument::Yields => Some("T"),
            Argument::Resumes => Some("R"),
            Argument::Crate => Some("path::to::coro"),
            Argument::Send | Argument::Boxed | Argument::Real | Argument::Tokio => None,
        }
    }

    fn usage(self) -> String {
        let name = self.name();
        match self.placeholder() {
            Some(placeholder) => format!("`{name} = {placeholder}`"),
            None => format!("`{name}`"),
        }
    }

    /// Parses the `=` before a value.
    fn equals(self, input: ParseStream<'_>, span: Span) -> Result<()> {
        if self.placeholder().is_none() || input.parse::<Option<Token![=]>>()?.is_some() {
            return Ok(());
        }
        let (name, usage) = (self.name(), self.usage());
        Err(Error::new(
            span,
            format!("`{name}` needs a value: write {usage}"),
        ))
    }
}

impl Accepted {
    fn expected(&self) -> String {
        let usages: Vec<String> = self.names.iter().map(|name| name.usage()).collect();
        match usages.split_last() {
            Some((last, [])) => format!("expected {last}"),
            Some((last, others)) => format!("expected {} or {last}", others.join(", ")),
            None => "expected nothing".to_owned(),
        }
    }

    fn find(&self, name: &Ident) -> Result<Argument> {
        let found = |argument: &&Argument| name == argument.name();
        let refuse = |message| Err(Error::new(name.span(), message));
        if let Some(argument) = self.names.iter().find(found) {
            return Ok(*argument);
        }
        match (self.of_coroutines, COROUTINE.names.iter().find(found)) {
            (Some(message), Some(_)) => refuse(message.to_owned()),
            _ => refuse(format!("unknown argument `{name}`, {}", self.expected())),
        }
    }
}

/// The arguments that an attribute was given.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) yields: Option<Type>,
    pub(crate) resumes: Option<Type>,
    pub(crate) send: Option<Span>,
    pub(crate) boxed: Option<Span>,
    pub(crate) real: Option<Span>,
    pub(crate) tokio: Option<Span>,
    pub(crate) krate: Option<Path>,
}

impl Args {
    /// Parses every argument that can be read and reports the others, so that the function is still
    /// expanded.
    pub(crate) fn parse(accepted: &Accepted, tokens: TokenStream) -> (Args, Option<Error>) {
        let mut args = Args::default();
        let mut errors = None;
        let all = |input: ParseStream<'_>| -> Result<()> {
            while !input.is_empty() {
                if let Err(error) = args.parse_one(accepted, input) {
                    merge(&mut errors, error);
                    skip_to_next(input)?;
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

    fn parse_one(&mut self, accepted: &Accepted, input: ParseStream<'_>) -> Result<()> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), accepted.expected()))?;
        let span = name.span();
        let argument = accepted.find(&name)?;
        argument.equals(input, span)?;
        match argument {
            Argument::Yields => set(&mut self.yields, &name, input.parse()?),
            Argument::Resumes => set(&mut self.resumes, &name, input.parse()?),
            Argument::Send => set(&mut self.send, &name, span),
            Argument::Boxed => set(&mut self.boxed, &name, span),
            Argument::Real => set(&mut self.real, &name, span),
            Argument::Tokio => set(&mut self.tokio, &name, span),
            Argument::Crate => set(&mut self.krate, &name, input.call(Path::parse_mod_style)?),
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

fn set<T>(place: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(name.span(), format!("`{name}` is given twice"))),
    }
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
    let ends =
        |ahead: ParseStream<'_>| ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Token![=]);
    comma
        && (ahead.is_empty()
            || ahead.peek(Lit)
            || ahead.call(Ident::parse_any).is_ok() && ends(ahead))
}

/// Adds `error` to the errors that are already reported.
pub(crate) fn merge(errors: &mut Option<Error>, error: impl Into<Option<Error>>) {
    match (errors, error.into()) {
        (Some(errors), Some(error)) => errors.combine(error),
        (errors, Some(error)) => *errors = Some(error),
        (_, None) => {}
    }
}
