//! The lifetimes that a boxed coroutine captures.
//!
//! An `impl Future` captures all lifetimes in scope. A `dyn Future` captures only the lifetime in
//! its bound, so the signature must name one.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{
    FnArg, GenericArgument, GenericParam, Generics, Lifetime, LifetimeParam, PathArguments,
    PredicateLifetime, PredicateType, Receiver, ReceiverKind, Signature, Token, Type,
    TypeParamBound, TypeParen, WherePredicate, token,
};

use crate::arguments;
use crate::body;
use crate::tokens;

/// Names every elided lifetime in the arguments, and returns the lifetime that all values in the
/// coroutine outlive.
///
/// The body's handle holds values of the types that are `exchanged` with the resumer, so these
/// types count too.
pub(crate) fn capture(sig: &mut Signature, exchanged: TokenStream) -> Lifetime {
    let exchanged = Mentioned::of(exchanged);
    if let Some(lifetime) = of_receiver_alone(sig, &exchanged) {
        return lifetime;
    }
    let mut captures = Captures::new(exchanged);
    for input in &mut sig.inputs {
        captures.input(input);
    }
    captures.declare(sig)
}

/// The lifetime of `&self` if there is no other argument. It needs no declaration, so the signature
/// is the same as one written by hand.
///
/// Any other argument needs the longer form, even a number. A trait may write `Self::Key` for the
/// argument that its implementation writes as `u32`, and both must declare the same lifetimes.
fn of_receiver_alone(sig: &Signature, exchanged: &Mentioned) -> Option<Lifetime> {
    let mut inputs = sig.inputs.iter();
    let lifetime = match inputs.next()? {
        FnArg::Receiver(Receiver {
            kind: ReceiverKind::Reference(_, lifetime, _),
            ..
        }) => lifetime,
        FnArg::Receiver(Receiver {
            kind: ReceiverKind::Typed(_, ty),
            ..
        }) => of_reference_to_self(ty)?,
        _ => return None,
    };
    // `Self` outlives its reference, and so do the parameters around the method.
    let alone = inputs.next().is_none() && exchanged.none_of(&sig.generics, lifetime.as_ref());
    alone.then(|| lifetime.clone().unwrap_or_else(elided))
}

/// The lifetime in `self: &Self`, which means the same as `&self`.
fn of_reference_to_self(ty: &Type) -> Option<&Option<Lifetime>> {
    match ty {
        Type::Reference(reference) if is_self(&reference.elem) => Some(&reference.lifetime),
        Type::Paren(paren) => of_reference_to_self(&paren.elem),
        Type::Group(group) => of_reference_to_self(&group.elem),
        _ => None,
    }
}

fn is_self(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.qself.is_none() && path.path.is_ident("Self"),
        Type::Paren(paren) => is_self(&paren.elem),
        Type::Group(group) => is_self(&group.elem),
        _ => false,
    }
}

/// The words and lifetimes in some types. Parameters with these names must outlive the coroutine.
struct Mentioned {
    words: Vec<String>,
    lifetimes: Vec<Lifetime>,
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

    fn type_param(&self, param: &syn::TypeParam) -> bool {
        self.words.iter().any(|word| param.ident == word)
    }

    fn none_of(&self, generics: &Generics, known: Option<&Lifetime>) -> bool {
        generics.params.iter().all(|param| match param {
            GenericParam::Type(param) => !self.type_param(param),
            GenericParam::Lifetime(param) => {
                Some(&param.lifetime) == known || !self.lifetimes.contains(&param.lifetime)
            }
            _ => true,
        })
    }

    /// Bounds the mentioned parameters themselves, and not the types. A parameter exists under any
    /// configuration, or has a `cfg` of its own.
    fn bound_params(&mut self, generics: &mut Generics, all: &Lifetime) {
        for param in &mut generics.params {
            match param {
                GenericParam::Type(param) if self.type_param(param) => {
                    param.bounds.push(TypeParamBound::Lifetime(all.clone()));
                }
                GenericParam::Lifetime(param) if self.lifetimes.contains(&param.lifetime) => {
                    param.bounds.push(all.clone());
                    self.lifetimes.retain(|other| *other != param.lifetime);
                }
                _ => {}
            }
        }
    }
}

struct Captures {
    all: Lifetime,
    named: Vec<Lifetime>,
    types: Vec<Type>,
    /// The names in types that cannot be bounded as a whole.
    mentioned: Mentioned,
}

impl Captures {
    fn new(mentioned: Mentioned) -> Captures {
        Captures {
            all: Lifetime::new("'__captured", Span::mixed_site()),
            named: Vec::new(),
            types: Vec::new(),
            mentioned,
        }
    }

    fn input(&mut self, input: &mut FnArg) {
        let conditional = is_conditional(input);
        let ty = match input {
            FnArg::Receiver(receiver) => self.receiver(receiver),
            FnArg::Typed(typed) if is_owned(&typed.ty) => return,
            FnArg::Typed(typed) => {
                self.name_elided(&mut typed.ty);
                if is_impl(&typed.ty) {
                    return;
                }
                typed.ty.to_token_stream()
            }
        };
        // A type in a `where` clause must exist under any configuration, and cannot contain `impl`.
        match conditional || body::mentions_impl(ty.clone()) {
            true => self.mentioned.add(ty),
            false => self.types.push(Type::Verbatim(ty)),
        }
    }

    fn receiver(&mut self, receiver: &mut Receiver) -> TokenStream {
        match &mut receiver.kind {
            ReceiverKind::Reference(_, lifetime, mutability) => {
                let lifetime = lifetime.get_or_insert_with(|| self.fresh());
                quote!(&#lifetime #mutability Self)
            }
            ReceiverKind::Typed(_, ty) => {
                self.name_elided(ty);
                ty.to_token_stream()
            }
            _ => quote!(Self),
        }
    }

    fn name_elided(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(reference) => {
                self.name(reference.lifetime.get_or_insert_with(elided));
                self.pointee(&mut reference.elem);
            }
            Type::Path(path) => {
                if let Some(qself) = &mut path.qself {
                    self.name_elided(&mut qself.ty);
                }
                path.path
                    .segments
                    .iter_mut()
                    .for_each(|it| self.arguments(&mut it.arguments));
            }
            Type::ImplTrait(opaque) => {
                self.bounds(&mut opaque.bounds);
                opaque
                    .bounds
                    .push(TypeParamBound::Lifetime(self.all.clone()));
            }
            Type::TraitObject(object) => self.bounds(&mut object.bounds),
            Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|it| self.name_elided(it)),
            Type::Array(array) => self.name_elided(&mut array.elem),
            Type::Slice(slice) => self.name_elided(&mut slice.elem),
            Type::Ptr(pointer) => self.pointee(&mut pointer.elem),
            Type::Paren(paren) => self.name_elided(&mut paren.elem),
            Type::Group(group) => self.name_elided(&mut group.elem),
            // An elided lifetime in `fn(&T)` is not captured.
            _ => {}
        }
    }

    /// Names the lifetimes in the type behind `&`. If it is an `impl`, it also gets parentheses,
    /// because it has got a bound.
    fn pointee(&mut self, ty: &mut Type) {
        self.name_elided(ty);
        if is_impl(ty) && !matches!(ty, Type::Paren(_)) {
            let elem = Box::new(std::mem::replace(ty, Type::Verbatim(TokenStream::new())));
            let paren_token = token::Paren(Span::mixed_site());
            *ty = Type::Paren(TypeParen {
                attrs: Vec::new(),
                paren_token,
                elem,
            });
        }
    }

    fn bounds(&mut self, bounds: &mut Punctuated<TypeParamBound, Token![+]>) {
        for bound in bounds {
            match bound {
                TypeParamBound::Lifetime(lifetime) => self.name(lifetime),
                TypeParamBound::Trait(bound) => {
                    bound
                        .path
                        .segments
                        .iter_mut()
                        .for_each(|it| self.arguments(&mut it.arguments));
                }
                _ => {}
            }
        }
    }

    fn arguments(&mut self, arguments: &mut PathArguments) {
        // An elided lifetime in `Fn(&T)` is not captured.
        let PathArguments::AngleBracketed(arguments) = arguments else {
            return;
        };
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => self.name(lifetime),
                GenericArgument::Type(ty) => self.name_elided(ty),
                GenericArgument::AssocType(assoc) => self.name_elided(&mut assoc.ty),
                _ => {}
            }
        }
    }

    fn name(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.fresh();
        }
    }

    fn fresh(&mut self) -> Lifetime {
        let name = format!("'__elided{}", self.named.len());
        let lifetime = Lifetime::new(&name, Span::mixed_site());
        self.named.push(lifetime.clone());
        lifetime
    }

    /// Adds the names and their bounds to the signature.
    fn declare(mut self, sig: &mut Signature) -> Lifetime {
        let mentioned = &self.mentioned;
        let borrows_nothing = mentioned.lifetimes.is_empty() && sig.inputs.is_empty();
        if borrows_nothing && mentioned.none_of(&sig.generics, None) {
            return Lifetime::new("'static", Span::call_site());
        }
        let all = self.all;
        self.mentioned.bound_params(&mut sig.generics, &all);
        let mut params = Punctuated::new();
        params.push(GenericParam::Lifetime(LifetimeParam::new(all.clone())));
        for name in &self.named {
            let mut param = LifetimeParam::new(name.clone());
            param.bounds.push(all.clone());
            params.push(GenericParam::Lifetime(param));
        }
        params.extend(std::mem::take(&mut sig.generics.params));
        sig.generics.params = params;
        // The remaining lifetimes were declared around the function.
        let outer = self.mentioned.lifetimes.into_iter();
        let outer = outer.filter(|lifetime| !self.named.contains(lifetime));
        let lifetimes = outer.map(|lifetime| lifetime_outlives(lifetime, &all));
        let types = self.types.into_iter().map(|ty| type_outlives(ty, &all));
        let predicates = &mut sig.generics.make_where_clause().predicates;
        predicates.extend(lifetimes.chain(types));
        all
    }
}

fn lifetime_outlives(lifetime: Lifetime, all: &Lifetime) -> WherePredicate {
    WherePredicate::Lifetime(PredicateLifetime {
        attrs: Vec::new(),
        lifetime,
        colon_token: Token![:](Span::call_site()),
        bounds: Punctuated::from_iter([all.clone()]),
    })
}

fn type_outlives(bounded_ty: Type, all: &Lifetime) -> WherePredicate {
    WherePredicate::Type(PredicateType {
        attrs: Vec::new(),
        lifetimes: None,
        bounded_ty,
        colon_token: Token![:](Span::call_site()),
        bounds: Punctuated::from_iter([TypeParamBound::Lifetime(all.clone())]),
    })
}

fn is_conditional(input: &FnArg) -> bool {
    let attrs = match input {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    };
    attrs.iter().any(arguments::is_conditional)
}

fn is_impl(ty: &Type) -> bool {
    match ty {
        Type::ImplTrait(_) => true,
        Type::Paren(paren) => is_impl(&paren.elem),
        Type::Group(group) => is_impl(&group.elem),
        _ => false,
    }
}

fn elided() -> Lifetime {
    Lifetime::new("'_", Span::call_site())
}

/// Whether the type is known to borrow nothing, so that it needs no bound.
fn is_owned(ty: &Type) -> bool {
    const OWNED: [&str; 18] = [
        "bool", "char", "String", "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8",
        "i16", "i32", "i64", "i128", "isize", "Duration",
    ];
    match ty {
        Type::Path(path) if path.qself.is_none() => path
            .path
            .get_ident()
            .is_some_and(|name| OWNED.iter().any(|owned| name == owned)),
        Type::Tuple(tuple) => tuple.elems.iter().all(is_owned),
        Type::Paren(paren) => is_owned(&paren.elem),
        Type::Group(group) => is_owned(&group.elem),
        _ => false,
    }
}
