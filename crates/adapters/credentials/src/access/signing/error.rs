use std::{io, path::PathBuf};

/// The keys in a folder cannot be used, or not be changed as asked. Says nothing of what is in them.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// The file system is in the way.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing yet.
    #[error("there are no keys in {0}: run `coinlink keys generate`")]
    None(PathBuf),
    /// There is something already.
    #[error("there are keys in {0} already: `coinlink keys rotate` adds the next one")]
    Some(PathBuf),
    /// Others may read it.
    #[error("the key {0} can be read by other users: run `chmod 600 {0}`")]
    Exposed(PathBuf),
    /// Others may put keys of theirs there.
    #[error("{0} can be changed by other users: run `chmod go-w {0}`")]
    Writable(PathBuf),
    /// None of the keys signs for good.
    #[error("every key in {0} retires, and then none could sign: run `coinlink keys rotate`")]
    NoneLasts(PathBuf),
    /// There is no room for another one.
    #[error("there are {0} keys, and tokens of all of them may be in use: no more are added until one of them has retired")]
    Full(usize),
    /// It is not what was written.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No such key.
    #[error("there is no key {0}: `coinlink keys list` shows those there are")]
    Unknown(String),
    /// It was taken away before.
    #[error("the key {0} is revoked already")]
    Revoked(String),
    /// A key could not be made.
    #[error("{0}")]
    NotMade(&'static str),
}
