//! The database of the settings, or the embedded one in the data folder.

use std::{
    fs::{self, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use coinlink_postgres::{ConnectSettings, Database};
use secrecy::ExposeSecret as _;

use crate::{config::Settings, serve::StartError};

/// Connects to it. The embedded one is made where none is.
pub async fn database(settings: &Settings) -> Result<Database, StartError> {
    let url = if let Some(url) = &settings.database.url {
        url.expose_secret().to_owned()
    } else {
        let file = settings.server.data_dir.join("coinlink.db");
        make_private(&file).map_err(|source| StartError::File { file: file.display().to_string(), source })?;
        format!("sqlite://{}?mode=rw", file.display())
    };
    Ok(Database::connect(&ConnectSettings::new(url)).await?)
}

/// A file that nobody else may read: password hashes lie in it. SQLite gives those beside it the same rights when it makes them;
/// those that an earlier release made lose theirs here.
fn make_private(file: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file)?;
    for end in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(end);
        match fs::set_permissions(&path, Permissions::from_mode(0o600)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_and_those_beside_it_are_for_us_alone_even_where_an_earlier_release_made_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coinlink.db");
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        make_private(&file).unwrap();
        assert_eq!(mode("coinlink.db"), 0o600);
        for name in ["coinlink.db", "coinlink.db-wal"] {
            fs::write(folder.path().join(name), "kept").unwrap();
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o644)).unwrap();
        }
        make_private(&file).unwrap();
        assert_eq!((mode("coinlink.db"), mode("coinlink.db-wal")), (0o600, 0o600));
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        assert!(!folder.path().join("coinlink.db-shm").exists());
    }
}
