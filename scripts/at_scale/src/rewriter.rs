//! Finds async functions and the await points of their own bodies.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, ExprAsync, ExprAwait, ExprClosure, ImplItemFn, ImplItemMacro, ItemFn,
    ItemImpl, ItemMacro, ItemMod, ItemTrait, Macro, ReturnType, Signature, TraitItemFn,
    TraitItemMacro,
};

use crate::Form;
use crate::edits::{Counts, Edits};
use crate::macros;

pub(crate) struct Rewriter<'a> {
    text: &'a str,
    form: Form,
    edits: Edits,
    counts: Counts,
    /// Whether an `.await` here belongs to a function that is rewritten.
    own: bool,
    macro_depth: usize,
    /// Under `#[async_trait]`; with what to put on its methods, if they are to be rewritten.
    async_trait: Option<Option<&'static str>>,
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(text: &'a str, form: Form) -> Rewriter<'a> {
        Rewriter {
            text,
            form,
            edits: Edits::default(),
            counts: Counts::default(),
            own: false,
            macro_depth: 0,
            async_trait: None,
        }
    }

    pub(crate) fn finish(self) -> (String, Counts) {
        (self.edits.apply(self.text), self.counts)
    }

    fn function(
        &mut self,
        attrs: &[Attribute],
        start: usize,
        sig: &Signature,
        block: Option<&Block>,
    ) {
        let kind = Kind::of(attrs);
        let attribute = match (self.async_trait, self.form) {
            (Some(on_methods), _) => on_methods,
            (None, Form::Boxed) => None,
            (None, _) => Some("#[::coro::coroutine]"),
        };
        let attribute = attribute.filter(|_| sig.asyncness.is_some());
        let rewritten = match (attribute, kind, block) {
            (Some(attribute), Kind::Plain, _) => {
                self.edits.insert(start, format!("{attribute} "));
                self.remove_async(sig);
                true
            }
            (Some(attribute), Kind::Test, Some(block)) if self.form == Form::YieldFromInTests => {
                self.wrap(attribute, sig, block)
            }
            _ => false,
        };
        self.counts.functions += usize::from(rewritten);
        let own = std::mem::replace(&mut self.own, rewritten && self.form != Form::Attribute);
        let around = self.async_trait.take();
        if let Some(block) = block {
            self.visit_block(block);
        }
        self.own = own;
        self.async_trait = around;
    }

    fn remove_async(&mut self, sig: &Signature) {
        if self.form == Form::Attribute {
            return;
        }
        if let Some(word) = &sig.asyncness {
            self.edits.replace(range(word), "");
        }
    }

    /// Moves the body of a test into a coroutine in it, since a coroutine cannot be a test.
    fn wrap(&mut self, attribute: &str, sig: &Signature, block: &Block) -> bool {
        if !sig.inputs.is_empty() {
            return false;
        }
        let output = match &sig.output {
            ReturnType::Default => "",
            output @ ReturnType::Type(..) => &self.text[range(output)],
        };
        let body = range(block);
        let open = format!("{{ {attribute} fn test_body() {output} ");
        self.edits.insert(body.start, open);
        self.edits.insert(body.end, " test_body().await }");
        true
    }

    /// Visits what stands under `#[async_trait]`, without it if it is to be replaced.
    fn under_async_trait(&mut self, attrs: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let Some(attr) = attrs.iter().find(|attr| ends_in(attr, "async_trait")) else {
            return visit(self);
        };
        let around = self.async_trait;
        let on_methods = match &self.text[range(attr)] {
            text if text.contains("?Send") => "#[::coro::coroutine(boxed)]",
            _ => "#[::coro::coroutine(boxed, send)]",
        };
        if self.form == Form::Boxed {
            self.edits.replace(range(attr), "");
        }
        self.async_trait = Some((self.form == Form::Boxed).then_some(on_methods));
        visit(self);
        self.async_trait = around;
    }
}

impl<'ast> Visit<'ast> for Rewriter<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.attrs, range(item).start, &item.sig, Some(&item.block));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.attrs, range(item).start, &item.sig, Some(&item.block));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.function(
            &item.attrs,
            range(item).start,
            &item.sig,
            item.default.as_ref(),
        );
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let is_of_tests = item.attrs.iter().any(is_cfg_test);
        if !is_of_tests || self.form == Form::YieldFromInTests {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.under_async_trait(&item.attrs, |it| visit::visit_item_trait(it, item));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.under_async_trait(&item.attrs, |it| visit::visit_item_impl(it, item));
    }

    fn visit_expr_await(&mut self, expr: &'ast ExprAwait) {
        if !self.own {
            return visit::visit_expr_await(self, expr);
        }
        self.counts.awaits += 1;
        self.counts.in_macros += usize::from(self.macro_depth > 0);
        self.edits
            .insert(range(&expr.base).start, "::coro::yield_from!(");
        visit::visit_expr_await(self, expr);
        let end = range(&expr.await_token).end;
        self.edits.replace(range(&expr.dot_token).start..end, ")");
    }

    fn visit_expr_async(&mut self, expr: &'ast ExprAsync) {
        let own = std::mem::replace(&mut self.own, false);
        visit::visit_expr_async(self, expr);
        self.own = own;
    }

    fn visit_expr_closure(&mut self, expr: &'ast ExprClosure) {
        let own = std::mem::replace(&mut self.own, false);
        visit::visit_expr_closure(self, expr);
        self.own = own;
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        for item in &macros::items(&item.mac) {
            self.visit_item(item);
        }
    }

    fn visit_impl_item_macro(&mut self, item: &'ast ImplItemMacro) {
        for item in &macros::impl_items(&item.mac) {
            self.visit_impl_item(item);
        }
    }

    fn visit_trait_item_macro(&mut self, item: &'ast TraitItemMacro) {
        for item in &macros::trait_items(&item.mac) {
            self.visit_trait_item(item);
        }
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.macro_depth += 1;
        for expr in &macros::expressions(mac) {
            self.visit_expr(expr);
        }
        self.macro_depth -= 1;
    }
}

/// What another attribute makes of a function.
enum Kind {
    Plain,
    Test,
    Main,
}

impl Kind {
    fn of(attrs: &[Attribute]) -> Kind {
        let is = |attr: &Attribute, name: &str| {
            let in_condition = attr.path().is_ident("cfg_attr") && mentions_attribute(attr, name);
            in_condition || ends_in(attr, name)
        };
        let any = |name| attrs.iter().any(|attr| is(attr, name));
        match (any("test"), any("main")) {
            (true, _) => Kind::Test,
            (_, true) => Kind::Main,
            _ => Kind::Plain,
        }
    }
}

fn is_cfg_test(attr: &Attribute) -> bool {
    let condition = attr.parse_args::<syn::Path>();
    attr.path().is_ident("cfg") && condition.is_ok_and(|path| path.is_ident("test"))
}

fn ends_in(attr: &Attribute, name: &str) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|last| last.ident == name)
}

/// Whether the last attribute in a `cfg_attr` is of that name.
fn mentions_attribute(attr: &Attribute, name: &str) -> bool {
    let syn::Meta::List(list) = &attr.meta else {
        return false;
    };
    let text = list.tokens.to_string().replace(' ', "");
    text.ends_with(&format!(",{name}")) || text.contains(&format!("::{name}"))
}

fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str, form: Form) -> String {
        let file = syn::parse_file(text).expect("the text is Rust");
        let mut rewriter = Rewriter::new(text, form);
        visit::visit_file(&mut rewriter, &file);
        rewriter.finish().0
    }

    #[test]
    fn await_points_of_the_function_itself_are_rewritten() {
        let text =
            "async fn f() { a(b.await).await; async { c.await }; println!(\"{}\", d.await); }";
        let expected = "#[::coro::coroutine]  fn f() { ::coro::yield_from!(a(::coro::yield_from!(b))); \
                        async { c.await }; println!(\"{}\", ::coro::yield_from!(d)); }";
        assert_eq!(rewritten(text, Form::YieldFrom), expected);
    }

    #[test]
    fn an_async_function_may_stay_as_it_is() {
        let text = "cfg_rt! { /// Documented.\n pub async fn f() { a.await } }";
        let expected =
            "cfg_rt! { #[::coro::coroutine] /// Documented.\n pub async fn f() { a.await } }";
        assert_eq!(rewritten(text, Form::Attribute), expected);
    }

    #[test]
    fn async_trait_goes_and_boxes_come() {
        let text = "#[async_trait] impl A for B { async fn f(&self) { a.await } fn g() {} }";
        let expected = " impl A for B { #[::coro::coroutine(boxed, send)]  fn f(&self) \
                        { ::coro::yield_from!(a) } fn g() {} }";
        assert_eq!(rewritten(text, Form::Boxed), expected);
        assert_eq!(rewritten(text, Form::YieldFrom), text);
    }

    #[test]
    fn functions_in_the_definition_of_a_macro_are_rewritten() {
        let text = "macro_rules! m { ($type:ty) => { #[async_trait] impl A for $type { \
                    async fn f(&self) { $type.await } } }; }";
        let expected = "macro_rules! m { ($type:ty) => {  impl A for $type { \
                        #[::coro::coroutine(boxed, send)]  fn f(&self) \
                        { ::coro::yield_from!($type) } } }; }";
        assert_eq!(rewritten(text, Form::Boxed), expected);
    }

    #[test]
    fn tests_run_a_coroutine_in_them() {
        let text = "#[tokio::test] async fn f() -> R { a.await }";
        let expected = "#[tokio::test] async fn f() -> R { #[::coro::coroutine] fn test_body() -> R \
                        { ::coro::yield_from!(a) } test_body().await }";
        assert_eq!(rewritten(text, Form::YieldFromInTests), expected);
        assert_eq!(rewritten(text, Form::YieldFrom), text);
        assert_eq!(rewritten(text, Form::Attribute), text);
    }
}
