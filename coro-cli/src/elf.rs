//! The headers of an ELF file: where a section stands in the file, and in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A section of a program, with the segment that brings it into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    /// The address, before the file is moved to where it is loaded.
    pub(crate) address: u64,
    pub(crate) size: u64,
    /// The first byte of the segment in the file, and its address.
    pub(crate) segment_offset: u64,
    pub(crate) segment_address: u64,
}

/// Why a file has no such section.
#[derive(Debug)]
pub(crate) enum NoSection {
    /// It is no ELF file, or has no section of that name.
    Missing,
    /// It is a program for machines with another size of addresses, or another order of bytes.
    OtherMachine,
    Unreadable(io::Error),
}

impl From<io::Error> for NoSection {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => NoSection::Missing, // shorter than its headers say
            _ => NoSection::Unreadable(error),
        }
    }
}

const FILE_HEADER: usize = 64;
const SECTION_HEADER: usize = 64;
const SEGMENT_HEADER: usize = 56;
const LOADED: u32 = 1;
/// Tables and texts longer than this are those of a broken file.
const TABLE_MAX: usize = 16 << 20;

/// Finds the section of that name in a program for this machine.
pub(crate) fn find_section(file: &File, name: &[u8]) -> Result<Section, NoSection> {
    let header = read(file, 0, FILE_HEADER)?;
    if header[..4] != *b"\x7fELF" {
        return Err(NoSection::Missing);
    }
    let own_order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if header[4] != 2 || header[5] != own_order {
        return Err(NoSection::OtherMachine);
    }
    let sections = sections(file, &header)?;
    let section = sections.iter().find(|section| section.name == name);
    let section = section.ok_or(NoSection::Missing)?;
    let (segment_offset, segment_address) = segment_of(file, &header, section.address)?;
    Ok(Section {
        address: section.address,
        size: section.size,
        segment_offset,
        segment_address,
    })
}

struct NamedSection {
    name: Vec<u8>,
    address: u64,
    size: u64,
}

fn sections(file: &File, header: &[u8]) -> Result<Vec<NamedSection>, NoSection> {
    let count = usize::from(u16_at(header, 60));
    if count == 0 || u16_at(header, 58) as usize != SECTION_HEADER {
        return Err(NoSection::Missing);
    }
    let table = read(file, u64_at(header, 40), count * SECTION_HEADER)?;
    let of_names = usize::from(u16_at(header, 62));
    let of_names = table.chunks(SECTION_HEADER).nth(of_names);
    let of_names = of_names.ok_or(NoSection::Missing)?;
    let length = usize::try_from(u64_at(of_names, 32)).unwrap_or(usize::MAX);
    let names = read(file, u64_at(of_names, 24), length)?;
    let named = table.chunks(SECTION_HEADER).map(|section| {
        let name = names.get(u32_at(section, 0) as usize..).unwrap_or_default();
        let length = name.iter().position(|byte| *byte == 0);
        NamedSection {
            name: name[..length.unwrap_or(name.len())].to_vec(),
            address: u64_at(section, 16),
            size: u64_at(section, 32),
        }
    });
    Ok(named.collect())
}

/// The offset and the address of the loaded segment with this address.
fn segment_of(file: &File, header: &[u8], address: u64) -> Result<(u64, u64), NoSection> {
    let count = usize::from(u16_at(header, 56));
    let table = read(file, u64_at(header, 32), count * SEGMENT_HEADER)?;
    let segments = table.chunks_exact(SEGMENT_HEADER);
    let mut loaded = segments.filter(|segment| u32_at(segment, 0) == LOADED);
    let around = loaded.find(|segment| {
        let begin = u64_at(segment, 16);
        address
            .checked_sub(begin)
            .is_some_and(|at| at < u64_at(segment, 40))
    });
    let segment = around.ok_or(NoSection::Missing)?;
    Ok((u64_at(segment, 8), u64_at(segment, 16)))
}

fn read(file: &File, at: u64, length: usize) -> Result<Vec<u8>, NoSection> {
    if length > TABLE_MAX {
        return Err(NoSection::Missing);
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(array_at(bytes, at))
}

/// The caller has a header of the length that its kind has.
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}
