//! The mappings of a process, from `/proc/PID/maps`.

use std::path::PathBuf;

/// A range of addresses of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) readable: bool,
    /// The first byte in the file that is mapped here.
    pub(crate) offset: u64,
    /// The file, if it is a mapping of one.
    pub(crate) path: Option<PathBuf>,
}

/// All lines that are well formed; the system writes no others.
pub(crate) fn parse(maps: &str) -> Vec<Mapping> {
    maps.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mapping> {
    let (range, rest) = line.split_once(' ')?;
    let (begin, end) = range.split_once('-')?;
    let (rights, rest) = rest.split_once(' ')?;
    let (offset, rest) = rest.split_once(' ')?;
    let (_device, rest) = rest.split_once(' ')?;
    let path = rest.split_once(' ').map(|(_inode, path)| path.trim_start());
    let path = path.filter(|path| path.starts_with('/'));
    Some(Mapping {
        begin: u64::from_str_radix(begin, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        readable: rights.starts_with('r'),
        offset: u64::from_str_radix(offset, 16).ok()?,
        path: path.map(PathBuf::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_a_file_a_file_with_spaces_and_none_are_read() {
        let maps = "5581-55a0 r--p 00001000 fd:01 1234                       /usr/bin/a b (deleted)\n\
                    7ffc-8000 rw-p 00000000 00:00 0                          [stack]\n\
                    9000-a000 ---p 00000000 00:00 0 \n\
                    nonsense\n";
        let read = parse(maps);
        assert_eq!(read.len(), 3);
        assert_eq!(
            (read[0].begin, read[0].end, read[0].offset),
            (0x5581, 0x55a0, 0x1000)
        );
        assert_eq!(
            read[0].path.as_deref(),
            Some("/usr/bin/a b (deleted)".as_ref())
        );
        assert_eq!((read[1].path.as_ref(), read[1].readable), (None, true));
        assert_eq!((read[2].path.as_ref(), read[2].readable), (None, false));
    }
}
