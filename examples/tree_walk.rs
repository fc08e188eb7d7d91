//! An in-order walk of a search tree, written as a recursion.
//!
//! ```text
//! $ cargo run --example tree_walk
//! balanced: 1000000 nodes, depth 20: in order
//! a list: 1000000 nodes, depth 1000000: in order
//! the first five beyond 700000: 700001 700002 700003 700004 700005
//! both trees have the same items: true
//! ```
//!
//! A hand-written iterator would keep a stack of its own. A recursive iterator that passes each
//! item up through every level would need time and stack in proportion to the depth. `yield_from!`
//! of a `boxed` child costs the same at any depth, as the second tree shows, which is a list. A
//! walk can also be abandoned half-way, as the last lines do. With `-- time` after the command it
//! also prints the time for an item; build it with `--release` for that.

use std::time::Instant;

use coro::{yield_, yield_from};

const NODES: u32 = 1_000_000;

/// The nodes of a binary tree, by index, so that dropping even a very deep tree needs no recursion.
struct Tree {
    nodes: Vec<Node>,
    root: usize,
}

struct Node {
    value: u32,
    left: Option<usize>,
    right: Option<usize>,
}

/// The items at and below the node with this index, in order.
#[coro::coroutine(yields = u32, boxed)]
fn walk(tree: &Tree, index: usize) {
    let node = &tree.nodes[index];
    if let Some(left) = node.left {
        yield_from!(walk(tree, left));
    }
    yield_!(node.value);
    if let Some(right) = node.right {
        yield_from!(walk(tree, right));
    }
}

/// The items above `floor`, in order: whole branches are never entered.
#[coro::coroutine(yields = u32, boxed)]
fn walk_above(tree: &Tree, index: usize, floor: u32) {
    let node = &tree.nodes[index];
    if node.value > floor {
        if let Some(left) = node.left {
            yield_from!(walk_above(tree, left, floor));
        }
        yield_!(node.value);
    }
    if let Some(right) = node.right {
        yield_from!(walk_above(tree, right, floor));
    }
}

impl Tree {
    /// A balanced tree of the numbers below `len`.
    fn balanced(len: u32) -> Tree {
        let mut tree = Tree {
            nodes: Vec::new(),
            root: 0,
        };
        tree.root = tree.add_range(0, len).expect("a tree has a root");
        tree
    }

    fn add_range(&mut self, from: u32, to: u32) -> Option<usize> {
        if from == to {
            return None;
        }
        let value = from + (to - from) / 2;
        let (left, right) = (self.add_range(from, value), self.add_range(value + 1, to));
        self.nodes.push(Node { value, left, right });
        Some(self.nodes.len() - 1)
    }

    /// The numbers below `len`, in a tree that is a list: every node is the left child of another.
    fn list(len: u32) -> Tree {
        let node = |value: u32| Node {
            value,
            left: value.checked_sub(1).map(|left| left as usize),
            right: None,
        };
        let nodes: Vec<Node> = (0..len).map(node).collect();
        let root = nodes.len().checked_sub(1).expect("a tree has a root");
        Tree { nodes, root }
    }

    fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut open = vec![(self.root, 1)];
        while let Some((index, depth)) = open.pop() {
            deepest = deepest.max(depth);
            let Node { left, right, .. } = self.nodes[index];
            open.extend(
                [left, right]
                    .into_iter()
                    .flatten()
                    .map(|child| (child, depth + 1)),
            );
        }
        deepest
    }
}

fn check(name: &str, tree: &Tree) {
    let begin = Instant::now();
    let in_order = walk(tree, tree.root).eq(0..NODES);
    let time = begin.elapsed() / NODES;
    let verdict = if in_order { "in order" } else { "out of order" };
    println!(
        "{name}: {} nodes, depth {}: {verdict}",
        tree.nodes.len(),
        tree.depth()
    );
    if std::env::args().nth(1).is_some_and(|word| word == "time") {
        println!("{name}: {time:?} an item");
    }
}

fn main() {
    let (balanced, list) = (Tree::balanced(NODES), Tree::list(NODES));
    check("balanced", &balanced);
    check("a list", &list);

    let above = walk_above(&balanced, balanced.root, 700_000).take(5);
    let above: Vec<String> = above.map(|item| item.to_string()).collect();
    println!("the first five beyond 700000: {}", above.join(" "));

    let same = walk(&balanced, balanced.root).eq(walk(&list, list.root));
    println!("both trees have the same items: {same}");
}
