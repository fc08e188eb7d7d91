//! A crawler by reqwest, a guest of tokio, on a site that the program serves itself.
//!
//! ```text
//! $ cargo run -p with-libraries --bin reqwest_crawl
//! crawled 31 pages from /, 8 at a time, the deepest by 4 links
//! 15 pages have links, 16 have none
//! ```

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use coro::compat::hyper::serve_http;
use coro::group::map_concurrent;
use coro::sleep;
use hyper::body::Incoming;
use hyper::{Request, Response};

const DEPTH: usize = 4;

/// A site that is a tree: each page links to two others, but for the deepest.
async fn page(request: Request<Incoming>) -> Response<String> {
    sleep(Duration::from_millis(5)).await; // a slow site
    let path = request.uri().path().trim_end_matches('/');
    let is_leaf = path.matches('/').count() == DEPTH;
    let link = |name| format!("<a href=\"{path}/{name}\">{name}</a>\n");
    Response::new(match is_leaf {
        true => "<p>the end</p>\n".to_owned(),
        false => link("left") + &link("right"),
    })
}

/// The addresses in the links of a page.
fn links(text: &str) -> Vec<String> {
    let parts = text.split("href=\"").skip(1);
    parts
        .filter_map(|part| Some(part.split_once('"')?.0.to_owned()))
        .collect()
}

#[coro::main(tokio)] // so that reqwest finds a runtime
async fn main() -> Result<()> {
    let server = serve_http("127.0.0.1:0", page)?;
    let site = Rc::new(format!("http://{}", server.local_addr()?));
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (mut seen, mut next) = (BTreeSet::new(), vec!["/".to_owned()]);
    let (mut depth, mut with_links) = (0, 0);
    loop {
        seen.extend(next.iter().cloned());
        let found = map_concurrent(next, 8, async |path| {
            let answer = client.get(format!("{site}{path}")).send().await?;
            Ok(links(&answer.error_for_status()?.text().await?))
        });
        let found: Vec<Vec<String>> = found.await.into_iter().collect::<Result<_>>()?;
        with_links += found.iter().filter(|links| !links.is_empty()).count();
        next = found
            .into_iter()
            .flatten()
            .filter(|path| !seen.contains(path))
            .collect();
        if next.is_empty() {
            break;
        }
        depth += 1;
    }
    println!(
        "crawled {} pages from /, 8 at a time, the deepest by {depth} links",
        seen.len()
    );
    println!(
        "{with_links} pages have links, {} have none",
        seen.len() - with_links
    );
    Ok(())
}
