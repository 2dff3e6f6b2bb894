//! Letters as files, for who develops.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::notifications::{MailSender, SendError};
use time::{UtcOffset, macros::format_description};

use crate::Stationery;

/// Puts each letter into a file of its own. A letter that comes twice is written over.
pub struct FileMail {
    folder: PathBuf,
    stationery: Arc<Stationery>,
}

impl FileMail {
    /// Into `folder`, which is made when it is needed.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, stationery: Arc<Stationery>) -> Self {
        Self { folder: folder.into(), stationery }
    }
}

/// In the order in which letters were asked for. Only of a mail whose template is known: the name is part of a path.
fn name(mail: &OutgoingMail) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let asked = mail.created_at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default();
    format!("{asked}-{}-{}.eml", mail.template, mail.id)
}

/// Whole or not at all, and for nobody else: it signs in whoever reads it.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (unfinished, finished) = (folder.join(format!(".{name}.unfinished")), folder.join(name));
    // Left behind by a process that was ended; its mode may be anything.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, finished)
}

#[async_trait]
impl MailSender for FileMail {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let letter = self.stationery.write(mail)?;
        let (folder, name) = (self.folder.clone(), name(mail));
        let path = folder.join(&name);
        let written = tokio::task::spawn_blocking(move || put(&folder, &name, &letter.bytes)).await;
        match written.map_err(io::Error::other).flatten() {
            Ok(()) => {
                tracing::info!(file = %path.display(), template = %mail.template, "mail is in a file");
                Ok(())
            }
            Err(error) => Err(SendError::Temporary(format!("the letter cannot be put into {}: {error}", self.folder.display()))),
        }
    }
}
