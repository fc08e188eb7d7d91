//! The lifetimes that a boxed coroutine captures.
//!
//! An `impl Future` captures all lifetimes in scope. A `dyn Future` captures only the lifetime in
//! its bound, so the signature must name one.

use proc_macro2::{Delimiter, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};

use crate::arguments;
use crate::body;
use crate::elided::Elided;
use crate::input::{Input, InputKind, OwnInput};
use crate::signature::{self, Signature};
use crate::tokens::{self, Lifetime, is_punct, is_word};
use crate::types;

/// Names every elided lifetime in the arguments, and returns the lifetime that all values in the
/// coroutine outlive.
///
/// The body's handle holds values of the types that are `exchanged` with the resumer, so these
/// types count too.
pub(crate) fn capture(sig: &mut Signature, exchanged: TokenStream) -> Lifetime {
    let exchanged = Mentioned::of(exchanged);
    let mut inputs = sig.inputs();
    if let Some(lifetime) = of_receiver_alone(sig, &inputs, &exchanged) {
        return lifetime;
    }
    let mut captures = Captures::new(exchanged);
    for input in &mut inputs {
        captures.input(input);
    }
    sig.set_inputs(&inputs);
    captures.declare(sig, inputs.is_empty())
}

/// The lifetime of `&self` if there is no other argument. It needs no declaration, so the signature
/// is the same as one written by hand.
///
/// Any other argument needs the longer form, even a number. A trait may write `Self::Key` for the
/// argument that its implementation writes as `u32`, and both must declare the same lifetimes.
fn of_receiver_alone(sig: &Signature, inputs: &[Input], exchanged: &Mentioned) -> Option<Lifetime> {
    let [
        Input {
            kind: InputKind::Own(own),
            ..
        },
    ] = inputs
    else {
        return None;
    };
    let lifetime = match &own.ty {
        None if own.is_reference() => own.lifetime(),
        None => return None,
        Some(ty) => of_reference_to_self(ty)?,
    };
    // `Self` outlives its reference, and so do the parameters around the method.
    let alone = exchanged.none_of(sig, lifetime.as_ref());
    alone.then(|| lifetime.unwrap_or_else(|| Lifetime::new("_", Span::call_site())))
}

/// The lifetime in `self: &Self`, which means the same as `&self`.
fn of_reference_to_self(ty: &TokenStream) -> Option<Option<Lifetime>> {
    let ty = types::bare(ty.clone());
    let (first, behind) = ty.split_first()?;
    if !is_punct(first, '&') {
        return None;
    }
    let lifetime = Lifetime::begins(behind);
    let behind = if lifetime.is_some() {
        &behind[2..]
    } else {
        behind
    };
    let is_mut = behind.first().is_some_and(|tree| is_word(tree, "mut"));
    let behind = &behind[usize::from(is_mut)..];
    let behind = types::bare(behind.iter().cloned().collect());
    matches!(behind.as_slice(), [only] if is_word(only, "Self")).then_some(lifetime)
}

/// The words and lifetimes in some types. Parameters with these names must outlive the coroutine.
struct Mentioned {
    words: Vec<String>,
    lifetimes: Vec<Lifetime>,
}

/// The name that a generic parameter declares.
enum Declared {
    Lifetime(Lifetime),
    Type(String),
    Constant,
}

impl Declared {
    fn by(param: &[TokenTree]) -> Declared {
        let param = param
            .get(signature::attributes_before(param)..)
            .unwrap_or_default();
        match (Lifetime::begins(param), param.first()) {
            (Some(lifetime), _) => Declared::Lifetime(lifetime),
            (None, Some(TokenTree::Ident(word))) if word != "const" => {
                Declared::Type(word.to_string())
            }
            _ => Declared::Constant,
        }
    }
}

impl Mentioned {
    fn of(types: TokenStream) -> Mentioned {
        let (words, lifetimes) = tokens::names(types);
        Mentioned { words, lifetimes }
    }

    fn add(&mut self, types: TokenStream) {
        let (words, lifetimes) = tokens::names(types);
        self.words.extend(words);
        self.lifetimes.extend(lifetimes);
    }

    fn none_of(&self, sig: &Signature, known: Option<&Lifetime>) -> bool {
        sig.params().iter().all(|param| match Declared::by(param) {
            Declared::Type(name) => !self.words.contains(&name),
            Declared::Lifetime(lifetime) => {
                Some(&lifetime) == known || !self.lifetimes.contains(&lifetime)
            }
            Declared::Constant => true,
        })
    }

    /// Bounds the mentioned parameters themselves, and not the types. A parameter exists under any
    /// configuration, or has a `cfg` of its own.
    fn bound_param(&mut self, param: &mut Vec<TokenTree>, all: &Lifetime) {
        let is_mentioned = match Declared::by(param) {
            Declared::Type(name) => self.words.contains(&name),
            Declared::Lifetime(lifetime) => {
                let before = self.lifetimes.len();
                self.lifetimes.retain(|other| *other != lifetime);
                self.lifetimes.len() < before
            }
            Declared::Constant => false,
        };
        if !is_mentioned {
            return;
        }
        let bounded = param.iter().any(|tree| is_punct(tree, ':'));
        let last = param.last();
        let separator = match last.is_some_and(|tree| is_punct(tree, ':') || is_punct(tree, '+')) {
            true => None,
            false => Some(Punct::new(if bounded { '+' } else { ':' }, Spacing::Alone)),
        };
        param.extend(quote!(#separator #all));
    }
}

struct Captures {
    all: Lifetime,
    elided: Elided,
    types: Vec<TokenStream>,
    /// The names in types that cannot be bounded as a whole.
    mentioned: Mentioned,
}

impl Captures {
    fn new(mentioned: Mentioned) -> Captures {
        let all = Lifetime::new("__captured", Span::mixed_site());
        Captures {
            elided: Elided::new(all.clone()),
            all,
            types: Vec::new(),
            mentioned,
        }
    }

    fn input(&mut self, input: &mut Input) {
        let conditional = input.attrs.iter().any(arguments::is_conditional);
        let ty = match &mut input.kind {
            InputKind::Own(own) => self.receiver(own),
            InputKind::Other(other) if is_owned(&other.ty) => return,
            InputKind::Other(other) => {
                other.ty = self.elided.name_in(other.ty.clone());
                if types::is_impl(&other.ty) {
                    return;
                }
                other.ty.clone()
            }
        };
        // A type in a `where` clause must exist under any configuration, and cannot contain `impl`.
        match conditional || body::mentions_impl(ty.clone()) {
            true => self.mentioned.add(ty),
            false => self.types.push(ty),
        }
    }

    fn receiver(&mut self, own: &mut OwnInput) -> TokenStream {
        if let Some(ty) = &mut own.ty {
            *ty = self.elided.name_in(ty.clone());
            return ty.clone();
        }
        if !own.is_reference() {
            return quote!(Self);
        }
        let before = own.name_lifetime(|| self.elided.fresh());
        quote!(#(#before)* Self)
    }

    /// Adds the names and their bounds to the signature.
    fn declare(mut self, sig: &mut Signature, takes_nothing: bool) -> Lifetime {
        let borrows_nothing = self.mentioned.lifetimes.is_empty() && takes_nothing;
        if borrows_nothing && self.mentioned.none_of(sig, None) {
            return Lifetime::new("static", Span::call_site());
        }
        let all = self.all;
        let named = self.elided.into_named();
        let mut params = sig.params();
        for param in &mut params {
            self.mentioned.bound_param(param, &all);
        }
        let params = params.into_iter().map(|param| quote!(#(#param)*));
        let generics = quote!(<#all #(, #named: #all)* #(, #params)*>);
        sig.generics = tokens::trees(generics);
        // The remaining lifetimes were declared around the function.
        let outer = self.mentioned.lifetimes.iter();
        let outer = outer.filter(|lifetime| !named.contains(lifetime));
        let outer = outer.map(Lifetime::to_token_stream).chain(self.types);
        let bounds = outer.map(|subject| quote!(#subject: #all)).collect();
        add_predicates(&mut sig.where_clause, bounds);
        all
    }
}

fn add_predicates(clause: &mut Vec<TokenTree>, predicates: Vec<TokenStream>) {
    if clause.is_empty() {
        clause.extend(quote!(where));
    } else if clause.len() > 1 && !clause.last().is_some_and(|last| is_punct(last, ',')) {
        clause.extend(quote!(,));
    }
    let mut tokens = TokenStream::new();
    tokens.append_separated(predicates, Punct::new(',', Spacing::Alone));
    clause.extend(tokens);
}

/// Whether the type is known to borrow nothing, so that it needs no bound.
fn is_owned(ty: &TokenStream) -> bool {
    const OWNED: [&str; 18] = [
        "bool", "char", "String", "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8",
        "i16", "i32", "i64", "i128", "isize", "Duration",
    ];
    match types::bare(ty.clone()).as_slice() {
        [TokenTree::Ident(name)] => OWNED.iter().any(|owned| name == owned),
        [TokenTree::Group(tuple)] if tuple.delimiter() == Delimiter::Parenthesis => {
            let elements = types::split(tokens::trees(tuple.stream()));
            let mut elements = elements.into_iter();
            elements.all(|element| is_owned(&element.into_iter().collect()))
        }
        _ => false,
    }
}
