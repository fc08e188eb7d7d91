//! The arguments of the attributes.

use proc_macro2::{Literal, Span, TokenStream};

use crate::mistake::{Mistake, merge};
use crate::reading;

/// An argument that some attribute takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Argument {
    Yields,
    Resumes,
    Send,
    Boxed,
    Real,
    Sim,
    Seeds,
    Late,
    Threads,
    Tokio,
    Crate,
}

/// The arguments that an attribute takes.
pub(crate) struct Accepted {
    attribute: &'static str,
    names: &'static [Argument],
    /// The error for arguments that only `#[coro::coroutine]` takes.
    of_coroutines: Option<&'static str>,
}

pub(crate) const COROUTINE: Accepted = Accepted {
    attribute: "#[coro::coroutine]",
    names: &[
        Argument::Yields,
        Argument::Resumes,
        Argument::Send,
        Argument::Boxed,
        Argument::Crate,
    ],
    of_coroutines: None,
};

pub(crate) const GENERATOR: Accepted = Accepted {
    attribute: "coro::generator!",
    names: COROUTINE.names,
    of_coroutines: None,
};

pub(crate) const COROUTINES: Accepted = Accepted {
    attribute: "#[coro::coroutines]",
    names: &[Argument::Send, Argument::Crate],
    of_coroutines: Some("only `send` and `crate = path::to::coro` can be handed down"),
};

pub(crate) const MAIN: Accepted = Accepted {
    attribute: "#[coro::main]",
    names: &[Argument::Threads, Argument::Tokio, Argument::Crate],
    of_coroutines: None,
};

pub(crate) const TEST: Accepted = Accepted {
    attribute: "#[coro::test]",
    names: &[
        Argument::Real,
        Argument::Tokio,
        Argument::Sim,
        Argument::Seeds,
        Argument::Late,
        Argument::Crate,
    ],
    of_coroutines: None,
};

impl Argument {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Argument::Yields => "yields",
            Argument::Resumes => "resumes",
            Argument::Send => "send",
            Argument::Boxed => "boxed",
            Argument::Real => "real",
            Argument::Sim => "sim",
            Argument::Seeds => "seeds",
            Argument::Late => "late",
            Argument::Threads => "threads",
            Argument::Tokio => "tokio",
            Argument::Crate => "crate",
        }
    }

    /// What stands for the value, if the argument has one.
    pub(crate) fn placeholder(self) -> Option<&'static str> {
        match self {
            Argument::Yields => Some("T"),
            Argument::Resumes => Some("R"),
            Argument::Crate => Some("path::to::coro"),
            Argument::Seeds | Argument::Threads => Some("N"),
            Argument::Late => Some("K"),
            Argument::Send | Argument::Boxed | Argument::Real | Argument::Sim | Argument::Tokio => {
                None
            }
        }
    }

    /// Words of other libraries and languages for the same thing.
    pub(crate) fn synonyms(self) -> &'static [&'static str] {
        match self {
            Argument::Yields => &["item", "items", "yield_type"],
            Argument::Resumes => &["receives", "resume_type"],
            Argument::Send => &["sendable"],
            Argument::Boxed => &["box", "recursive", "recursion"],
            Argument::Real => &["real_time", "realtime"],
            Argument::Tokio => &["with_tokio", "runtime"],
            Argument::Sim => &["simulation", "simulated", "simulate"],
            Argument::Seeds => &["seed", "runs", "iterations"],
            Argument::Late => &["delays", "preemptions"],
            Argument::Threads => &["cores", "loops"],
            Argument::Crate => &["path", "krate", "crate_path"],
        }
    }

    pub(crate) fn usage(self) -> String {
        let name = self.name();
        match self.placeholder() {
            Some(placeholder) => format!("`{name} = {placeholder}`"),
            None => format!("`{name}`"),
        }
    }
}

impl Accepted {
    pub(crate) fn names(&self) -> &'static [Argument] {
        self.names
    }

    pub(crate) fn takes(&self, argument: Argument) -> bool {
        self.names.contains(&argument)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Argument> {
        let mut names = self.names.iter().copied();
        names.find(|argument| argument.name() == name)
    }

    pub(crate) fn expected(&self) -> String {
        let usages: Vec<String> = self.names.iter().map(|name| name.usage()).collect();
        match usages.split_last() {
            Some((last, [])) => format!("expected {last}"),
            Some((last, others)) => format!("expected {} or {last}", others.join(", ")),
            None => "expected nothing".to_owned(),
        }
    }

    /// The reason why this attribute does not take an argument that another one takes.
    pub(crate) fn of_another(&self, name: &str) -> Option<String> {
        let takes_it = |other: &&&Accepted| other.find(name).is_some();
        let other = [&COROUTINE, &TEST, &MAIN];
        let other = other.iter().find(takes_it)?;
        Some(match self.of_coroutines {
            Some(message) if other.attribute == COROUTINE.attribute => message.to_owned(),
            _ => format!(
                "`{name}` is an argument of `{}`, not of `{}`",
                other.attribute, self.attribute
            ),
        })
    }
}

/// The arguments that an attribute was given.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) yields: Option<TokenStream>,
    pub(crate) resumes: Option<TokenStream>,
    pub(crate) send: Option<Span>,
    pub(crate) boxed: Option<Span>,
    pub(crate) real: Option<Span>,
    pub(crate) sim: Option<Span>,
    pub(crate) seeds: Option<Literal>,
    pub(crate) late: Option<Literal>,
    pub(crate) threads: Option<Literal>,
    pub(crate) tokio: Option<Span>,
    pub(crate) krate: Option<TokenStream>,
    /// Whether there is a `yields` or a `resumes` without a type that could be read.
    pub(crate) unreadable: bool,
}

impl Args {
    /// Reads every argument that can be read and reports the others, so that the function is still
    /// expanded.
    pub(crate) fn parse(accepted: &Accepted, tokens: TokenStream) -> (Args, Option<Mistake>) {
        let (args, mut errors) = reading::read(accepted, tokens);
        merge(&mut errors, args.contradiction());
        (args, errors)
    }

    /// Whether the test runs in a simulation.
    pub(crate) fn is_simulated(&self) -> bool {
        self.sim.is_some() || self.seeds.is_some() || self.late.is_some()
    }

    fn contradiction(&self) -> Option<Mistake> {
        if let (Some(_), Some(tokio)) = (&self.threads, self.tokio) {
            return Some(Mistake::new(
                tokio,
                "`tokio` is for one loop: remove it, or remove `threads`; \
                 `coro::cores::Builder::event_loop` enters a runtime of tokio around each loop",
            ));
        }
        if let Some(zero) = self.threads.as_ref().filter(|it| reading::is_zero(it)) {
            return Some(Mistake::of(
                zero,
                "a `main` on 0 cores would run nothing: write `threads = 1` or more",
            ));
        }
        match (&self.resumes, &self.yields, &self.real) {
            (Some(resumes), None, _) if !self.unreadable => Some(Mistake::of(
                resumes,
                "`resumes = R` needs `yields = T`: \
                 only a coroutine that yields can be resumed with a value",
            )),
            (_, _, Some(real)) if self.is_simulated() => Some(Mistake::new(
                *real,
                "`real` has no place in a simulation, where time and sockets are simulated: \
                 remove it, or remove `sim`, `seeds` and `late`",
            )),
            _ => None,
        }
    }
}
