//! `Job`, and the events of its life.

use std::fmt;
use std::time::Duration;

/// A job, as a worker is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// The number of its entry in the stream, which every delivery of the job has.
    pub id: String,
    /// The content that the producer gave it.
    pub payload: Vec<u8>,
    /// 1 at the first delivery, 2 at the second.
    pub delivery: u32,
}

/// An entry of the stream, which is a job if it has a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) delivery: u32,
}

impl Entry {
    pub(crate) fn to_job(&self) -> Option<Job> {
        let is_payload = |(name, _): &&(Vec<u8>, Vec<u8>)| name == b"payload";
        let (_, payload) = self.fields.iter().find(is_payload)?;
        Some(Job {
            id: self.id.clone(),
            payload: payload.clone(),
            delivery: self.delivery,
        })
    }
}

/// Something that a worker tells; see [`Worker::on_event`](crate::Worker::on_event).
///
/// Its text is one line, which begins with one word for the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobEvent {
    /// The work on a job begins.
    Begun(Job),
    /// The job was done, and this worker has acknowledged it.
    Acknowledged(Job),
    /// The job was done, and was no longer this worker's when it was acknowledged: its lease had
    /// lapsed, or an acknowledgement before this one had reached the server, and its answer was lost.
    NotHeld(Job),
    /// The work failed, by an error or a panic; the job is delivered again when its lease has lapsed.
    Failed(Job, String),
    /// The job, or an entry that is none, was put aside into the stream of dead jobs.
    PutAside {
        /// The number of its entry in the stream of jobs.
        id: String,
        /// Why.
        reason: String,
    },
    /// The lease of a job lapsed while this worker was at it: the work was dropped, as another worker
    /// has the job.
    LeaseLost(Job),
    /// The server cannot be reached, or refuses; the worker tries again after this time at the latest.
    Trouble(String, Duration),
}

impl fmt::Display for JobEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobEvent::Begun(job) => write!(f, "begun {job}"),
            JobEvent::Acknowledged(job) => write!(f, "acknowledged {job}"),
            JobEvent::NotHeld(job) => write!(f, "not-held {job}"),
            JobEvent::Failed(job, reason) => write!(f, "failed {job}: {reason}"),
            JobEvent::PutAside { id, reason } => write!(f, "put-aside {id}: {reason}"),
            JobEvent::LeaseLost(job) => write!(f, "lease-lost {job}"),
            JobEvent::Trouble(error, pause) => {
                write!(f, "trouble: {error}; again within {pause:?}")
            }
        }
    }
}

impl fmt::Display for Job {
    /// The number of the entry and that of the delivery.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.delivery)
    }
}
