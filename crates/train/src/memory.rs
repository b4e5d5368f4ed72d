//! The allocator.

/// Has glibc keep freed memory instead of giving it back to the system: a training step takes and frees the same hundreds
/// of megabytes over and over, and getting them back page by page costs a third of the step.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt may be called at any time; it sets thresholds and touches no memory in use.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 1 << 28);
    }
}
