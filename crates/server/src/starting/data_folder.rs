//! One `coinlink dev` a data folder: what nodes share is in the memory of each, so that two would limit, lead and tell each by itself.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::serve::StartError;

/// Takes the folder until the file is dropped, or the process is gone. Commands that work on what is in it do not ask.
pub(crate) fn take_folder(folder: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::DataDir { folder: folder.display().to_string(), source };
    let path = folder.join("dev.lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::FolderTaken { folder: folder.display().to_string() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_free_again_when_its_holder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let held = take_folder(folder.path()).unwrap();
        let refused = take_folder(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&folder.path().display().to_string()) && refused.contains("--data-dir"), "{refused}");
        drop(held);
        take_folder(folder.path()).unwrap();
        assert!(matches!(take_folder(&folder.path().join("nowhere")), Err(StartError::DataDir { .. })));
    }
}
