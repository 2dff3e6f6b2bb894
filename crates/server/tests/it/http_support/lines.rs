//! What the process logs.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

/// Lines as they are written.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Those of the whole process, of whichever test: a server's threads are none of a test's.
    pub(crate) fn of_this_process() -> Self {
        static LINES: OnceLock<Lines> = OnceLock::new();
        let began = || {
            let lines = Self::default();
            let writer = lines.clone();
            let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            lines
        };
        LINES.get_or_init(began).clone()
    }

    /// What has been written so far.
    pub(crate) fn written(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
