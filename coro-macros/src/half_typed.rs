//! Tests that expand items as an editor sees them while they are typed: no message of the attributes
//! may be added to those of the compiler, and no type in a body may be lost.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::{block, coroutine, entry};

/// The word that an editor puts in the place of a body that it cannot parse.
const IN_PLACE_OF_A_BODY: &str = "__ra_fixup";

fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(group.stream(), word),
        tree => tree.to_string() == word,
    })
}

#[test]
fn a_body_that_an_editor_has_replaced_is_expanded() {
    let item = || quote!(fn f(a: u32) -> u32 __ra_fixup);
    let expansions = [
        coroutine::expand(quote!(), item()),
        coroutine::expand(quote!(send), item()),
        coroutine::expand(quote!(boxed), item()),
        coroutine::expand(quote!(yields = u32), item()),
        entry::expand_main(quote!(), quote!(fn main() -> u32 __ra_fixup)),
        entry::expand_test(quote!(), quote!(async fn works() __ra_fixup)),
    ];
    for expansion in expansions {
        let text = expansion.to_string();
        assert!(mentions(expansion.clone(), IN_PLACE_OF_A_BODY), "{text}");
        assert!(mentions(expansion.clone(), "async"), "{text}");
        assert!(!mentions(expansion, "compile_error"), "{text}");
    }
}

#[test]
fn a_signature_that_is_being_typed_is_printed_as_it_is() {
    for typed in [
        quote!(fn),
        quote!(fn f),
        quote!(fn f(a:)),
        quote!(fn f(a: &str)),
        quote!(fn f(a: &str) ->),
        quote!(fn f(a: &str) -> Res),
        quote!(pub async fn f(a: Vec<) {}),
        quote!(fn f(a b) {}),
        quote!(fn f<T: >(a: ) {}),
        quote!(#[inline] pub(crate) fn f(, ) {}),
    ] {
        for expansion in [
            coroutine::expand(quote!(), typed.clone()),
            coroutine::expand(quote!(yields = u32), typed.clone()),
            entry::expand_test(quote!(), typed.clone()),
        ] {
            let text = expansion.to_string();
            assert!(!text.contains("goes on a function"), "{typed}: {text}");
        }
    }
}

#[test]
fn an_item_of_another_kind_is_refused_though_it_has_a_function_inside() {
    for item in [
        quote!(
            struct F(fn());
        ),
        quote!(
            type F = fn();
        ),
        quote!(impl A { fn f() {} }),
    ] {
        let text = coroutine::expand(quote!(), item).to_string();
        assert!(text.contains("goes on a function"), "{text}");
    }
}

#[test]
fn a_block_whose_end_is_missing_is_one_error() {
    for typed in [
        quote!(),
        quote!(yields = u32),
        quote!(yields = u32,),
        quote!(yields = u32, async),
    ] {
        let text = block::expand(typed.clone()).to_string();
        assert_eq!(text.matches("compile_error").count(), 1, "{typed}: {text}");
    }
}
