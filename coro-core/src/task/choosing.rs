//! How a simulation looks into the ready queue of a scheduler, and chooses the node that runs next.
#![expect(
    unsafe_code,
    reason = "nodes of the ready queue are looked at, and tasks ended, through raw pointers"
)]

use std::rc::Rc;

use super::cell::Header;
use super::host::{HOST, HostLife};
use super::queue::Origin;
use super::scheduler::Scheduler;
use super::state::TaskPhase;

/// A node of the ready queue, as a simulation tells one from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadyNode {
    /// The number of the task; 0 for the main future, `None` for a callout.
    pub(crate) task: Option<u64>,
    pub(crate) origin: Origin,
    /// Whether it is a dump, which is no step of the program.
    pub(crate) looks: bool,
}

impl Scheduler {
    /// The node at `index` of the ready queue.
    pub(crate) fn ready_node(&self, index: usize) -> Option<ReadyNode> {
        let node = self.ready().at(index)?;
        // SAFETY: a queued node is allocated, and its table is its own.
        unsafe {
            let table = node.as_ref().table;
            let (task, origin) = (table.describe)(node);
            let looks = table.looks;
            Some(ReadyNode {
                task,
                origin,
                looks,
            })
        }
    }

    /// The name of the task at `index` of the ready queue, if it is one.
    pub(crate) fn ready_name(&self, index: usize) -> Option<String> {
        let node = self.ready().at(index)?;
        // SAFETY: a queued node is allocated, and its table is its own.
        let (task, _) = unsafe { (node.as_ref().table.describe)(node) };
        // SAFETY: a node with a number is the head of a task, which is allocated while it is queued.
        task.map(|_| unsafe { node.cast::<Header>().as_ref() }.name())
    }

    /// Has the node at `index` of the ready queue run next.
    pub(crate) fn bring_forward(&self, index: usize) {
        self.ready().bring_forward(index);
    }

    /// Notes the host of the task that is made next. It is given its number, if it has one already.
    pub(super) fn note_host(&self, id: Option<u64>) {
        if let Some(life) = HOST.get() {
            let id = id.unwrap_or(self.last_id() + 1);
            self.hosts.borrow_mut().push((id, life));
        }
    }

    /// Ends the tasks of a simulated host: drops their futures, without polling them again.
    ///
    /// A task that is running now ends when it suspends. The closures of the host's callouts are
    /// dropped, too.
    pub(crate) fn end_host(self: &Rc<Self>, life: &HostLife) {
        for closure in life.end() {
            self.contain_drop(|| drop(closure));
        }
        // Destructors may spawn tasks, which end as well.
        loop {
            let is_of_host = |(_, other): &mut (u64, HostLife)| other.is(life);
            let next = self.hosts.borrow_mut().extract_if(.., is_of_host).next();
            match next {
                Some((id, _)) => self.end_task(id),
                None => break,
            }
        }
    }

    fn end_task(self: &Rc<Self>, id: u64) {
        let mut found = None;
        self.task_list().for_each(|task| {
            // SAFETY: a task in the list is allocated.
            if unsafe { task.as_ref().id } == id {
                found = Some(task);
            }
        });
        let Some(task) = found else {
            return; // it is done
        };
        // SAFETY: the task is in the list, so it is unfinished and allocated, and its table is its
        // own. One that is being polled is only marked.
        unsafe {
            let node = &task.as_ref().node;
            match node.state.snapshot().phase {
                TaskPhase::Running => {
                    let _ = node.state.cancel();
                }
                _ => (node.table.end)(task.cast(), self),
            }
        }
    }
}
