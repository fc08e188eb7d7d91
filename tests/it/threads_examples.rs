//! The behaviour of the example programs about threads.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::examples::example;

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coro-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn checksum_prints_the_lines_of_sha256sum_and_the_files_it_could_not_read() {
    let folder = Folder::new("checksum-says");
    fs::create_dir(folder.0.join("b")).unwrap();
    for (name, length) in [("a", 0), ("b/c", 1_000_000), ("b/d", 1), ("e", 65_536)] {
        fs::write(folder.0.join(name), vec![b'x'; length]).unwrap();
    }
    std::os::unix::fs::symlink("/dev/zero", folder.0.join("endless")).unwrap();
    let Ok(sums) = Command::new("sha256sum")
        .args(["a", "b/c", "b/d", "e"].map(|name| folder.0.join(name)))
        .output()
    else {
        return println!("skipped: there is no sha256sum here");
    };
    let output = example("checksum").arg(&folder.0).output().unwrap();
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    let mut expected = String::from_utf8(sums.stdout).unwrap();
    expected.push_str("4 files, 1065537 bytes\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(progress.ends_with("\r4 of 4 files, 1 MB\n"), "{progress}");

    let missing = example("checksum").arg(folder.0.join("no such")).output();
    assert_eq!(missing.unwrap().status.code(), Some(1));
}

#[test]
fn ctrl_c_stops_checksum_in_the_middle_of_an_endless_file() {
    let folder = Folder::new("checksum-stops");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        let file = File::create(folder.0.join(name)).unwrap();
        file.set_len(1 << 40).unwrap(); // sparse: takes no space, but hours to read
    }
    let mut program = example("checksum");
    let mut child = program
        .arg(&folder.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = child.stderr.take().unwrap();
    let mut first = [0; 16];
    said.read_exact(&mut first).unwrap(); // it has begun
    assert_eq!(&first, b"\r0 of 10 files, ");
    let id = child.id().to_string();
    let kill = Command::new("kill").args(["-INT", &id]).status();
    assert!(kill.unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("\nstopped by Ctrl-C\n"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
