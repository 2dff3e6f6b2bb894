//! `coinlink dev` makes its secrets once and keeps them, so that nobody has to invent any and a restart signs nobody out.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use super::{problem::key_bytes, settings::Settings};

/// A secret could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum DevSecretError {
    /// The file system is in the way.
    #[error("the secret {path} cannot be kept: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what was written.
    #[error(
        "the secret {path} is damaged (it should be 64 hex digits): remove it and a new one is made; what was signed or encrypted with the old one is lost"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("the secret {path} can be read by other users: run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

impl Settings {
    /// Fills in the secrets that are not set with those kept in `{data_dir}/secrets`, made on first use.
    pub fn with_dev_secrets(mut self) -> Result<Self, DevSecretError> {
        let folder = self.server.data_dir.join("secrets");
        for (name, secret) in [
            ("jwt_secret_key", &mut self.auth.jwt_secret_key),
            ("password_pepper", &mut self.auth.password_pepper),
            ("totp_encryption_key", &mut self.auth.totp_encryption_key),
        ] {
            if secret.is_none() {
                *secret = Some(kept(&folder, name)?);
            }
        }
        Ok(self)
    }
}

fn kept(folder: &Path, name: &str) -> Result<SecretString, DevSecretError> {
    let path = folder.join(name);
    let io = |source| DevSecretError::Io { path: path.clone(), source };
    match read(&path) {
        Err(DevSecretError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
            match write(folder, &path) {
                // Another process started at the same moment and was first.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(io(error)),
                _ => read(&path),
            }
        }
        other => other,
    }
}

fn read(path: &Path) -> Result<SecretString, DevSecretError> {
    let io = |source| DevSecretError::Io { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(DevSecretError::Exposed { path: path.to_owned() });
    }
    let bytes = fs::read(path).map_err(io)?;
    let text = String::from_utf8(bytes).map_err(|_| DevSecretError::Damaged { path: path.to_owned() })?;
    let secret = SecretString::from(text.trim_end());
    let whole = secret.expose_secret().len() == 64 && key_bytes(&secret).is_some();
    if whole { Ok(secret) } else { Err(DevSecretError::Damaged { path: path.to_owned() }) }
}

/// Whole or not at all: written beside its place, then linked there unless something is there already.
fn write(folder: &Path, path: &Path) -> io::Result<()> {
    use std::fmt::Write as _;
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let mut text = bytes.iter().fold(String::with_capacity(65), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.push('\n');
    let draft = folder.join(format!(".{}.{}", path.file_name().unwrap_or_default().to_string_lossy(), std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::hard_link(&draft, path));
    // The draft has served, or was never made.
    let _ = fs::remove_file(&draft);
    written
}
