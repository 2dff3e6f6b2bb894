//! Reading and writing so that others neither see a key nor half a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use zeroize::Zeroizing;

use super::KeyFolderError;

/// Far more than any of ours.
const MAX_BYTES: u64 = 64 * 1024;

fn io(path: &Path) -> impl Fn(io::Error) -> KeyFolderError + '_ {
    |source| KeyFolderError::Io { path: path.to_owned(), source }
}

pub(super) fn make_folder(path: &Path) -> Result<(), KeyFolderError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))
}

/// Whoever can change a folder puts keys of their own into it. Where it is sticky, nobody replaces what is another's: so are the
/// folders in which a cluster mounts secrets. What is not there can be changed by nobody.
pub(super) fn refuse_writable(path: &Path) -> Result<(), KeyFolderError> {
    match fs::metadata(path) {
        Ok(found) if found.mode() & 0o022 != 0 && !(found.is_dir() && found.mode() & 0o1000 != 0) => {
            Err(KeyFolderError::Writable(path.to_owned()))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(path)(error)),
        _ => Ok(()),
    }
}

/// Held until it is dropped; whoever comes second waits.
pub(super) fn lock(path: &Path) -> Result<File, KeyFolderError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(io(path))?;
    file.lock().map_err(io(path))?;
    Ok(file)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeyFolderError> {
    read_open(File::open(path).map_err(io(path))?, path)
}

fn read_open(file: File, path: &Path) -> Result<Vec<u8>, KeyFolderError> {
    let mut bytes = Vec::new();
    let count = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io(path))? as u64;
    if count > MAX_BYTES {
        return Err(KeyFolderError::Damaged { path: path.to_owned(), why: "it is too long".into() });
    }
    Ok(bytes)
}

/// The text of a private key. One that others can read is none any more. Secrets that a cluster mounts belong to root, and to a
/// group that reads them.
pub(super) fn read_key(path: &Path) -> Result<Zeroizing<String>, KeyFolderError> {
    let file = File::open(path).map_err(io(path))?;
    let metadata = file.metadata().map_err(io(path))?;
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(KeyFolderError::Exposed(path.to_owned()));
    }
    let damaged = || KeyFolderError::Damaged { path: path.to_owned(), why: "it is no text".into() };
    String::from_utf8(read_open(file, path)?).map(Zeroizing::new).map_err(|_| damaged())
}

/// A new file that only its owner can read, on the disk before this returns.
pub(super) fn write_key(path: &Path, text: &str) -> Result<(), KeyFolderError> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(path))
}

/// Puts `bytes` in the place of the file at `path`: whoever reads it sees the old ones or the new ones, and so after a crash.
pub(super) fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), KeyFolderError> {
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(io(&draft))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io(&draft))?;
    fs::rename(&draft, path).map_err(io(path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

/// Removes it; that it is gone already is as good.
pub(super) fn remove(path: &Path) -> Result<(), KeyFolderError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(path)(error)),
        _ => Ok(()),
    }
}
