//! `CoresTree`: the trees of all tasks, one of each core.

use std::fmt;

use crate::sight::TaskTree;

/// The tasks of all cores, made by [`Core::dump`](super::Core::dump): a branch for each core. Each core
/// was looked at by itself, so a task that hands on work in between may show on both sides of it.
///
/// Its `Display` form has the text of each core's [`TaskTree`] below the name of the core.
#[derive(Debug, Clone)]
pub struct CoresTree {
    trees: Vec<Option<TaskTree>>,
}

impl CoresTree {
    #[inline]
    pub(super) fn new(trees: Vec<Option<TaskTree>>) -> Self {
        CoresTree { trees }
    }

    /// The tree of each core, in the order of their indices. `None` stands for a core that has ended.
    #[inline]
    pub fn cores(&self) -> &[Option<TaskTree>] {
        &self.trees
    }

    /// The trees as JSON: an object with `cores`, an array with a tree or `null` for each core. A tree
    /// is as [`TaskTree::to_json`] writes it.
    #[inline]
    pub fn to_json(&self) -> String {
        let json = |tree: &Option<TaskTree>| match tree {
            Some(tree) => tree.to_json(),
            None => "null".to_owned(),
        };
        let trees: Vec<String> = self.trees.iter().map(json).collect();
        format!("{{\"cores\":[{}]}}", trees.join(","))
    }
}

impl fmt::Display for CoresTree {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tree) in self.trees.iter().enumerate() {
            let Some(tree) = tree else {
                writeln!(f, "core {index} has ended")?;
                continue;
            };
            writeln!(f, "core {index}")?;
            for line in tree.to_string().lines() {
                match line {
                    "" => writeln!(f)?,
                    line => writeln!(f, "  {line}")?,
                }
            }
        }
        Ok(())
    }
}
