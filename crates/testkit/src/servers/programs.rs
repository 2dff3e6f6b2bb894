//! Where a server's programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder that holds `postgres`, `initdb` and their like, newest release first: Debian keeps them out of `PATH`, and
/// what is in `PATH` may be a wrapper.
#[must_use]
pub fn postgres_folder() -> PathBuf {
    let mut releases: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    releases.sort_by_key(|&(release, _)| std::cmp::Reverse(release));
    let packaged = releases.into_iter().map(|(_, folder)| folder);
    let found = packaged.chain(search_path()).find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    found.unwrap_or_else(|| panic!("PostgreSQL's server programs are missing: {}", hint("postgresql", "postgresql")))
}

/// The Redis server, or Valkey's, which is the same in all that we use.
pub(super) fn redis_server() -> PathBuf {
    let found =
        search_path().flat_map(|folder| ["redis-server", "valkey-server"].map(|name| folder.join(name))).find(|p| p.is_file());
    found.unwrap_or_else(|| panic!("redis-server is missing: {}", hint("redis-server", "redis")))
}

fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let beyond = ["/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"].map(|folder| Path::new(folder).to_owned());
    env::split_paths(&path).collect::<Vec<_>>().into_iter().chain(beyond)
}

fn hint(debian: &str, brew: &str) -> String {
    format!("`apt-get install {debian}` on Debian and Ubuntu, `brew install {brew}` on macOS; `bash tests/run` as root does it")
}
