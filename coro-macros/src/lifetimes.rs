//! The lifetimes that a boxed coroutine captures.
//!
//! `impl Future` captures by itself; `dyn Future` has to be told.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{
    FnArg, GenericArgument, GenericParam, Lifetime, LifetimeParam, PathArguments, Receiver,
    ReceiverKind, Signature, Token, Type, TypeParamBound, WherePredicate, parse_quote,
};

/// Gives a name to whatever lives shorter than `'static` in the arguments, and returns the
/// lifetime that all of it outlives.
pub(crate) fn capture(sig: &mut Signature) -> Lifetime {
    if let Some(lifetime) = of_receiver_alone(sig) {
        return lifetime;
    }
    let mut captures = Captures::new();
    for input in &mut sig.inputs {
        captures.input(input);
    }
    captures.declare(sig)
}

/// The lifetime of `&self` where nothing else is captured: it needs no declaration, so that the
/// signature is the one that people write by hand.
fn of_receiver_alone(sig: &Signature) -> Option<Lifetime> {
    let mut inputs = sig.inputs.iter();
    let lifetime = match inputs.next()? {
        FnArg::Receiver(Receiver {
            kind: ReceiverKind::Reference(_, lifetime, _),
            ..
        }) => lifetime,
        _ => return None,
    };
    let owned = inputs.all(|input| matches!(input, FnArg::Typed(typed) if is_owned(&typed.ty)));
    owned.then(|| {
        lifetime
            .clone()
            .unwrap_or_else(|| Lifetime::new("'_", Span::call_site()))
    })
}

struct Captures {
    all: Lifetime,
    named: Vec<Lifetime>,
    types: Vec<Type>,
}

impl Captures {
    fn new() -> Captures {
        Captures {
            all: Lifetime::new("'__captured", Span::mixed_site()),
            named: Vec::new(),
            types: Vec::new(),
        }
    }

    fn input(&mut self, input: &mut FnArg) {
        let ty = match input {
            FnArg::Receiver(receiver) => self.receiver(receiver),
            FnArg::Typed(typed) if is_owned(&typed.ty) => return,
            FnArg::Typed(typed) => {
                self.name_elided(&mut typed.ty);
                let ty = &typed.ty;
                parse_quote!(#ty)
            }
        };
        // What is bounded must exist, and so must not be configured away.
        if !matches!(ty, Type::ImplTrait(_)) && !is_conditional(input) {
            self.types.push(ty);
        }
    }

    fn receiver(&mut self, receiver: &mut Receiver) -> Type {
        match &mut receiver.kind {
            ReceiverKind::Reference(_, lifetime, mutability) => {
                let lifetime = lifetime.get_or_insert_with(|| self.fresh());
                parse_quote!(&#lifetime #mutability Self)
            }
            ReceiverKind::Typed(_, ty) => {
                self.name_elided(ty);
                parse_quote!(#ty)
            }
            _ => parse_quote!(Self),
        }
    }

    fn name_elided(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(reference) => {
                self.name(reference.lifetime.get_or_insert_with(elided));
                self.name_elided(&mut reference.elem);
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
            Type::Ptr(pointer) => self.name_elided(&mut pointer.elem),
            Type::Paren(paren) => self.name_elided(&mut paren.elem),
            Type::Group(group) => self.name_elided(&mut group.elem),
            // What is elided in `fn(&T)` is not captured.
            _ => {}
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
        // What is elided in `Fn(&T)` is not captured.
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

    /// Adds the names and what they must outlive to the signature.
    fn declare(self, sig: &mut Signature) -> Lifetime {
        let opaque = |input: &FnArg| matches!(input, FnArg::Typed(typed) if !is_owned(&typed.ty));
        if self.types.is_empty() && !sig.inputs.iter().any(opaque) {
            return Lifetime::new("'static", Span::call_site());
        }
        let all = self.all;
        let mut params = Punctuated::new();
        params.push(GenericParam::Lifetime(LifetimeParam::new(all.clone())));
        for name in self.named {
            params.push(parse_quote!(#name: #all));
        }
        params.extend(std::mem::take(&mut sig.generics.params));
        sig.generics.params = params;
        let predicates = &mut sig.generics.make_where_clause().predicates;
        predicates.extend(
            self.types
                .iter()
                .map(|ty| -> WherePredicate { parse_quote!(#ty: #all) }),
        );
        all
    }
}

fn is_conditional(input: &FnArg) -> bool {
    let attrs = match input {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    };
    attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

fn elided() -> Lifetime {
    Lifetime::new("'_", Span::call_site())
}

/// Whether the type is one of those that are known to borrow nothing.
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
        Type::Group(group) => is_owned(&group.elem),
        _ => false,
    }
}
