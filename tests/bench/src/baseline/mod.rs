//! What a reader of actix's documentation would write: what the real binary is measured beside.

pub(crate) mod collector;
pub(crate) mod gate;
pub(crate) mod http;
pub(crate) mod ws;

use std::{io, thread};

/// As many as the machine for which the goals were set has cores.
const WORKERS: usize = 2;

/// Ends this process when the one that started it has gone.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
}
