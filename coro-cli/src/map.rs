//! The content of the section `.coro.sight`: where a process keeps its loops and tasks.

use crate::memory::{Memory, Unread};
use crate::process::InMemory;

/// The version of the layout that is known here.
pub(crate) const VERSION: u32 = 1;

/// Offsets beyond this are those of no header, but of a torn or broken map.
pub(crate) const HEADER_MAX: usize = 1024;

const MAGIC: [u8; 16] = *b"coro.sight\0\0\0\0\0\0";

/// Offsets in the records of a process.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub(crate) in_record: RecordFields,
    pub(crate) in_scheduler: SchedulerFields,
    pub(crate) in_header: HeaderFields,
    /// The end of the last field of a header that is read, at most [`HEADER_MAX`].
    pub(crate) header_length: usize,
    pub(crate) bits: Bits,
    /// The address and the length of a text, in words from its beginning.
    pub(crate) text: TextFields,
    /// `None` if the samples do not show how locations are laid out.
    pub(crate) location: Option<LocationFields>,
    /// The address of the first loop's record; zero if there is none.
    pub(crate) loops: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct RecordFields {
    pub(crate) next: u64,
    pub(crate) scheduler: u64,
    pub(crate) inbox: u64,
    pub(crate) thread: u64,
    pub(crate) door: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct SchedulerFields {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) running: u64,
    pub(crate) main: u64,
    pub(crate) ready: u64,
    pub(crate) last_id: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct HeaderFields {
    pub(crate) state: u64,
    pub(crate) inbox: u64,
    pub(crate) previous: u64,
    pub(crate) next: u64,
    pub(crate) id: u64,
    pub(crate) spawned_by: u64,
    pub(crate) origin: u64,
    pub(crate) extra: u64,
    pub(crate) name_in_extra: u64,
}

impl HeaderFields {
    fn length(&self) -> Result<usize, Unread> {
        let HeaderFields {
            state,
            inbox,
            previous,
            next,
            id,
            spawned_by,
            origin,
            extra,
            name_in_extra: _,
        } = *self;
        let last = [state, inbox, previous, next, id, spawned_by, origin, extra];
        let end = last.into_iter().max().unwrap_or_default() as usize + 8;
        if end > HEADER_MAX {
            Err(Unread::Torn)
        } else {
            Ok(end)
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Bits {
    pub(crate) queued: u32,
    pub(crate) running: u32,
    pub(crate) cancelled: u32,
    pub(crate) done: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct TextFields {
    pub(crate) address: u64,
    pub(crate) length: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocationFields {
    pub(crate) file: u64,
    pub(crate) file_length: u64,
    /// The stored length counts a zero byte at the end.
    pub(crate) counts_zero: bool,
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// What is found at a place where a section may stand.
pub(crate) enum Found {
    Nothing,
    OtherVersion(u32),
    Map(Box<Map>, u64),
}

/// Reads the maps of a section; a program that is linked with two releases has two of them there.
pub(crate) fn read_all(memory: &mut Memory<'_>, section: InMemory) -> Result<Vec<Found>, Unread> {
    let mut found = Vec::new();
    let mut at = section.begin;
    let end = section.begin + section.size;
    while at < end {
        match read_one(memory, at)? {
            Found::Map(map, size) => {
                at = (at + size).next_multiple_of(8);
                found.push(Found::Map(map, size));
            }
            other => {
                found.push(other);
                break;
            }
        }
    }
    Ok(found)
}

fn read_one(memory: &mut Memory<'_>, at: u64) -> Result<Found, Unread> {
    let mut magic = [0; 16];
    memory.read(at, &mut magic)?;
    if magic != MAGIC {
        return Ok(Found::Nothing);
    }
    let mut fields = Fields {
        memory,
        at: at + 16,
    };
    let version = fields.number()?;
    if version != VERSION {
        return Ok(Found::OtherVersion(version));
    }
    let size = fields.number()?;
    let word = fields.number()?;
    if word != 8 {
        return Ok(Found::Nothing);
    }
    Ok(Found::Map(Box::new(read_map(fields)?), size.into()))
}

fn read_map(mut fields: Fields<'_, '_>) -> Result<Map, Unread> {
    let in_record = RecordFields {
        next: fields.offset()?,
        scheduler: fields.offset()?,
        inbox: fields.offset()?,
        thread: fields.offset()?,
        door: fields.offset()?,
    };
    let in_scheduler = SchedulerFields {
        first: fields.offset()?,
        last: fields.offset()?,
        running: fields.offset()?,
        main: fields.offset()?,
        ready: fields.offset()?,
        last_id: fields.offset()?,
    };
    let in_header = HeaderFields {
        state: fields.offset()?,
        inbox: fields.offset()?,
        previous: fields.offset()?,
        next: fields.offset()?,
        id: fields.offset()?,
        spawned_by: fields.offset()?,
        origin: fields.offset()?,
        extra: fields.offset()?,
        name_in_extra: fields.offset()?,
    };
    let bits = Bits {
        queued: fields.number()?,
        running: fields.number()?,
        cancelled: fields.number()?,
        done: fields.number()?,
    };
    let location_size = fields.offset()?;
    let location = read_samples(&mut fields, location_size)?;
    let text = [fields.word()?, fields.word()?];
    let length = fields.word()?;
    let address_first = text[1] == length;
    Ok(Map {
        in_record,
        in_scheduler,
        header_length: in_header.length()?,
        in_header,
        bits,
        text: TextFields {
            address: if address_first { 0 } else { 8 },
            length: if address_first { 8 } else { 0 },
        },
        location,
        loops: fields.word()?,
    })
}

/// The fields of a map, one after the other, as C lays them out.
struct Fields<'a, 'b> {
    memory: &'a mut Memory<'b>,
    at: u64,
}

impl Fields<'_, '_> {
    fn number(&mut self) -> Result<u32, Unread> {
        let number = self.memory.half_word(self.at)?;
        self.at += 4;
        Ok(number)
    }

    fn offset(&mut self) -> Result<u64, Unread> {
        Ok(self.number()?.into())
    }

    fn word(&mut self) -> Result<u64, Unread> {
        let at = self.at.next_multiple_of(8);
        self.at = at + 8;
        self.memory.word(at)
    }
}

/// A location of the process with its bytes, and the parts that it is known to have.
struct Sample {
    bytes: Vec<u8>,
    file: u64,
    file_length: u64,
    line: u32,
    column: u32,
}

fn read_samples(fields: &mut Fields<'_, '_>, size: u64) -> Result<Option<LocationFields>, Unread> {
    const SIZE_MAX: u64 = 256;
    let mut samples = Vec::new();
    for _ in 0..3 {
        let location = fields.word()?;
        let mut bytes = vec![0; size.min(SIZE_MAX) as usize];
        fields.memory.read(location, &mut bytes)?;
        samples.push(Sample {
            bytes,
            file: fields.word()?,
            file_length: fields.word()?,
            line: fields.number()?,
            column: fields.number()?,
        });
    }
    Ok(learn(&samples))
}

/// The only places at which every sample has its parts.
fn learn(samples: &[Sample]) -> Option<LocationFields> {
    let length_of = |sample: &Sample, zero: u64| (sample.file_length + zero).to_ne_bytes();
    let file = only_place(samples, |sample| sample.file.to_ne_bytes())?;
    let line = only_place(samples, |sample| sample.line.to_ne_bytes())?;
    let column = only_place(samples, |sample| sample.column.to_ne_bytes())?;
    let bare = only_place(samples, |sample| length_of(sample, 0));
    let with_zero = only_place(samples, |sample| length_of(sample, 1));
    let (file_length, counts_zero) = match (bare, with_zero) {
        (Some(place), None) => (place, false),
        (None, Some(place)) => (place, true),
        _ => return None,
    };
    Some(LocationFields {
        file,
        file_length,
        counts_zero,
        line,
        column,
    })
}

fn only_place<const N: usize>(
    samples: &[Sample],
    part: impl Fn(&Sample) -> [u8; N],
) -> Option<u64> {
    let size = samples.first()?.bytes.len();
    let has_it = |at: &usize| {
        let has = |sample: &Sample| sample.bytes.get(*at..*at + N) == Some(&part(sample)[..]);
        samples.iter().all(has)
    };
    let mut places = (0..size).step_by(N).filter(has_it);
    let place = places.next()?;
    places.next().is_none().then_some(place as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(parts: [u64; 3], line: u32, column: u32) -> Sample {
        let [file, file_length, stored] = parts;
        let mut bytes = [line.to_ne_bytes(), column.to_ne_bytes()].concat();
        bytes.extend(stored.to_ne_bytes());
        bytes.extend(file.to_ne_bytes());
        Sample {
            bytes,
            file,
            file_length,
            line,
            column,
        }
    }

    #[test]
    fn the_layout_of_a_location_is_learnt_from_samples() {
        let samples = [sample([900, 7, 8], 30, 9), sample([900, 7, 8], 31, 10)];
        let learnt = learn(&samples).unwrap();
        let expected = LocationFields {
            file: 16,
            file_length: 8,
            counts_zero: true,
            line: 0,
            column: 4,
        };
        assert_eq!(learnt, expected);
    }

    #[test]
    fn a_layout_that_the_samples_leave_open_is_not_guessed() {
        assert_eq!(
            learn(&[sample([900, 7, 7], 9, 9), sample([900, 7, 7], 8, 8)]),
            None
        );
        assert_eq!(
            learn(&[sample([900, 7, 6], 30, 9), sample([900, 7, 6], 31, 8)]),
            None
        );
    }
}
