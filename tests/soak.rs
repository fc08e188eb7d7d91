//! A soak; it counts what the kernel of Linux tells of a process.

#[cfg(target_os = "linux")]
mod soaking;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    soaking::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
