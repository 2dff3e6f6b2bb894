//! The scripts of `deploy/backup`, run as their schedules run them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coinlink_testkit::servers::{PrivatePostgres, PrivateRedis, fresh_database, postgres_folder};

/// What a script said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// What it printed, where it did what it was asked.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out.trim().to_owned()
    }

    /// Panics unless it refused, and said so.
    pub(crate) fn refused(&self, why: &str) {
        assert!(self.code == 1 && self.err.contains(why), "{self:?}");
    }
}

/// Copies of the scripts that any account can read, in `folder`.
pub(crate) fn copy_scripts(folder: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("deploy");
    for part in ["backup", "postgres"] {
        let to = folder.join("deploy").join(part);
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(from.join(part)).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
            let copy = to.join(file.file_name());
            fs::copy(file.path(), &copy).unwrap();
            fs::set_permissions(copy, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    folder.join("deploy/backup")
}

/// Runs `command` with these variables, without whatever else the test's environment says of servers.
pub(crate) async fn run(mut command: Command, variables: &[(&str, &str)]) -> Ran {
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("PG_BIN", postgres_folder());
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    let output = tokio::process::Command::from(command).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

fn script(name: &str, arguments: &[&str]) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("deploy/backup").join(name);
    let mut command = Command::new(path);
    command.args(arguments);
    command
}

/// A dump in all but its content, with its checksum.
async fn pretend(folder: &Path, stamp: &str) {
    let name = format!("coinlink-{stamp}.dump");
    fs::write(folder.join(&name), stamp).unwrap();
    let mut sum = Command::new("sha256sum");
    sum.arg(&name).current_dir(folder);
    fs::write(folder.join(format!("{name}.sha256")), run(sum, &[]).await.out).unwrap();
}

fn kept(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let dumps = names.filter_map(|name| Some(name.strip_prefix("coinlink-")?.strip_suffix(".dump")?.to_owned()));
    let mut dumps: Vec<_> = dumps.collect();
    dumps.sort_unstable();
    dumps
}

#[tokio::test]
async fn of_sixty_days_seven_days_and_four_weeks_before_this_one_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let dumps = place.path().join("dumps");
    fs::create_dir(&dumps).unwrap();
    // Thursday, 1 October to Sunday, 29 November 2020; twice on one of the last days.
    for (month, days) in [(10, 31), (11, 29)] {
        for day in 1..=days {
            pretend(&dumps, &format!("2020{month}{day:02}T020000Z")).await;
        }
    }
    pretend(&dumps, "20201126T140000Z").await;
    let variables = [("BACKUP_DIR", place.path().to_str().unwrap())];
    let _ = run(script("prune", &[]), &variables).await.done();
    let weeks = ["20201101T020000Z", "20201108T020000Z", "20201115T020000Z", "20201122T020000Z"];
    let days = [
        "20201123T020000Z",
        "20201124T020000Z",
        "20201125T020000Z",
        "20201126T140000Z",
        "20201127T020000Z",
        "20201128T020000Z",
        "20201129T020000Z",
    ];
    assert_eq!(kept(&dumps), [&weeks[..], &days[..]].concat());
    assert_eq!(fs::read_dir(&dumps).unwrap().count(), 22, "checksums go with their dumps");
}

#[tokio::test]
async fn a_damaged_dump_never_pushes_out_a_good_one_and_is_told_of() {
    let place = tempfile::tempdir().unwrap();
    let dumps = place.path().join("dumps");
    fs::create_dir(&dumps).unwrap();
    // The only good one is months old.
    pretend(&dumps, "20200301T020000Z").await;
    for day in 1..=9 {
        pretend(&dumps, &format!("2020110{day}T020000Z")).await;
        fs::write(dumps.join(format!("coinlink-2020110{day}T020000Z.dump")), "rotten").unwrap();
    }
    let variables = [("BACKUP_DIR", place.path().to_str().unwrap()), ("BACKUP_KEEP_DAILY", "1"), ("BACKUP_KEEP_WEEKLY", "1")];
    run(script("prune", &[]), &variables).await.refused("coinlink-20201109T020000Z.dump is not what its checksum says");
    assert_eq!(kept(&dumps).len(), 10);
    assert_eq!(kept(&dumps)[0], "20200301T020000Z");
    let none = [variables[0], ("BACKUP_KEEP_DAILY", "0")];
    run(script("prune", &[]), &none).await.refused("BACKUP_KEEP_DAILY is '0'");
}

#[tokio::test]
async fn a_piece_of_the_log_is_kept_once_and_another_content_never_replaces_it() {
    const NAME: &str = "00000001000000000000002A";
    let place = tempfile::tempdir().unwrap();
    let (piece, back) = (place.path().join("piece"), place.path().join("back"));
    let variables = [("BACKUP_DIR", place.path().to_str().unwrap())];
    let archive = async || run(script("archive-wal", &[piece.to_str().unwrap(), NAME]), &variables).await;
    let restore = async |name: &str| run(script("restore-wal", &[name, back.to_str().unwrap()]), &variables).await;
    assert_eq!(restore(NAME).await.code, 200, "an archive that is not mounted is not the end of the log");
    fs::write(&piece, vec![7; 1 << 20]).unwrap();
    let _ = archive().await.done();
    let _ = archive().await.done();
    let _ = restore(NAME).await.done();
    assert_eq!(fs::read(&back).unwrap(), fs::read(&piece).unwrap());
    fs::write(&piece, vec![8; 1 << 20]).unwrap();
    archive().await.refused("is there with another content");
    let _ = restore(NAME).await.done();
    assert_eq!(fs::read(&back).unwrap(), vec![7; 1 << 20], "what was kept first stays");
    assert_eq!(restore("00000001000000000000002B").await.code, 1, "this is how PostgreSQL finds the end");
    let archived = place.path().join("wal").join(format!("{NAME}.gz"));
    fs::write(&archived, &fs::read(&archived).unwrap()[..100]).unwrap();
    assert_eq!(restore(NAME).await.code, 200, "what is damaged is not the end of the log");
    assert_eq!(fs::read_dir(place.path().join("wal")).unwrap().count(), 1, "nothing unfinished is left behind");
    let odd = run(script("archive-wal", &[piece.to_str().unwrap(), "../../odd"]), &variables).await;
    assert!(odd.code == 2 && odd.err.contains("no name of a piece"), "{odd:?}");
}

/// The database of a URL of the test kit, as PostgreSQL's programs are told of one.
fn variables_of(url: &str) -> [String; 4] {
    let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once("@127.0.0.1:").unwrap();
    let (port, rest) = rest.split_once('/').unwrap();
    ["127.0.0.1".to_owned(), port.to_owned(), user.to_owned(), rest.split('?').next().unwrap().to_owned()]
}

#[tokio::test]
async fn a_damaged_dump_is_refused_and_so_is_a_database_that_is_not_empty() {
    let (place, database) = (tempfile::tempdir().unwrap(), fresh_database().await);
    let [host, port, user, name] = variables_of(&database.url);
    let folder = place.path().to_str().unwrap();
    let other = format!("{name}_other");
    let at =
        |database| [("BACKUP_DIR", folder), ("PGHOST", &*host), ("PGPORT", &*port), ("PGUSER", &*user), ("PGDATABASE", database)];
    let dump = run(script("dump", &[]), &at(&name)).await.done();
    run(script("restore", &["latest"]), &at(&name)).await.refused("is not empty");

    let good = fs::read(&dump).unwrap();
    for (damage, what) in [(&good[..good.len() / 2], "cut short"), (&b"not a dump"[..], "something else")] {
        fs::write(&dump, damage).unwrap();
        let ran = run(script("restore", &[&dump]), &at(&other)).await;
        ran.refused("it is damaged. Nothing was touched");
        run(script("restore", &["latest"]), &at(&other)).await.refused("there is no good dump");
        assert!(database.count(&format!("pg_database WHERE datname = '{other}'")).await == 0, "{what}");
    }
    // A single bit.
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&dump, &flipped).unwrap();
    run(script("restore", &[&dump]), &at(&other)).await.refused("it is damaged");
    fs::write(&dump, &good).unwrap();

    let _ = run(script("restore", &["latest"]), &at(&other)).await.done();
    run(script("restore", &["latest"]), &at(&other)).await.refused("is not empty");
    let _ = run(script("restore", &["--replace", "latest"]), &at(&other)).await.done();
    let aside = format!("pg_database WHERE datname LIKE '{other}_before_%'");
    assert_eq!(database.count(&aside).await, 1, "what was there is kept");
}

/// The clock was ahead when this was made, whatever it says now.
const AHEAD: &str = "29990101T000000Z";

/// Panics unless it did its work, told of what is dated in the future, and ended with the code for that.
fn kept_all(ran: &Ran) -> &Path {
    assert!(ran.code == 3 && ran.err.contains(AHEAD) && ran.err.contains("Nothing is removed"), "{ran:?}");
    Path::new(ran.out.trim())
}

#[tokio::test]
async fn where_a_dump_is_dated_in_the_future_none_is_removed_and_the_newest_is_not_guessed() {
    let (place, database) = (tempfile::tempdir().unwrap(), fresh_database().await);
    let [host, port, user, name] = variables_of(&database.url);
    let (folder, dumps, other) = (place.path().to_str().unwrap(), place.path().join("dumps"), format!("{name}_other"));
    let keep = [("BACKUP_KEEP_DAILY", "1"), ("BACKUP_KEEP_WEEKLY", "1")];
    let at = |database| {
        let server =
            [("BACKUP_DIR", folder), ("PGHOST", &*host), ("PGPORT", &*port), ("PGUSER", &*user), ("PGDATABASE", database)];
        [&server[..], &keep].concat()
    };
    fs::create_dir(&dumps).unwrap();
    for stamp in ["20200101T020000Z", "20200201T020000Z", "20200301T020000Z", AHEAD] {
        pretend(&dumps, stamp).await;
    }
    let ran = run(script("dump", &[]), &at(&name)).await;
    let made = kept_all(&ran);
    assert!(made.is_file(), "what was just made is kept");
    assert_eq!(kept(&dumps).len(), 5);
    run(script("restore", &["latest"]), &at(&other)).await.refused(&format!("coinlink-{AHEAD}.dump, is dated in the future"));
    // Whoever names it means it; what is restored says of when it is.
    let ran = run(script("restore", &[made.to_str().unwrap()]), &at(&other)).await;
    assert!(ran.code == 0 && ran.err.contains(" was made at 20"), "{ran:?}");

    for end in ["dump", "dump.sha256"] {
        fs::remove_file(dumps.join(format!("coinlink-{AHEAD}.{end}"))).unwrap();
    }
    let _ = run(script("prune", &[]), &at(&name)).await.done();
    assert_eq!(kept(&dumps).len(), 2, "the newest, and one of another week");
    assert!(made.is_file());
}

#[tokio::test]
async fn where_a_base_backup_is_dated_in_the_future_none_is_removed_nor_a_piece_of_the_log() {
    const OLD: &str = "000000010000000000000001";
    let server = PrivatePostgres::start().await;
    let (scripts, backups, port) =
        (copy_scripts(server.directory()), server.directory().join("backup"), server.address().port.to_string());
    let variables = [
        ("BACKUP_DIR", backups.to_str().unwrap()),
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &*port),
        ("PGUSER", "coinlink"),
        ("BACKUP_KEEP_BASE", "1"),
    ];
    let ran = async |name: &str, arguments: &[&str]| {
        let mut command = server.command(&scripts.join(name));
        command.args(arguments);
        run(command, &variables).await
    };
    let piece = server.directory().join("piece");
    fs::write(&piece, "log").unwrap();
    let _ = ran("archive-wal", &[piece.to_str().unwrap(), OLD]).await.done();
    let old = backups.join("wal").join(format!("{OLD}.gz"));
    let first = ran("base-backup", &["--no-prune"]).await.done();
    let ahead = backups.join("base").join(format!("{AHEAD}.done"));
    fs::write(&ahead, "2999-01-01T00:00:05Z\n").unwrap();

    let second = ran("base-backup", &[]).await;
    assert!(kept_all(&second).is_dir(), "what was just made is kept");
    assert!(Path::new(&first).is_dir() && old.is_file());
    let data = server.directory().join("restored");
    let latest = ran("restore-to-time", &["--to", "latest", "--data", data.to_str().unwrap()]).await;
    latest.refused(&format!("{AHEAD}, is dated in the future"));

    fs::remove_file(ahead).unwrap();
    let third = ran("base-backup", &[]).await.done();
    assert!(Path::new(&third).is_dir() && !Path::new(&first).exists() && !kept_all(&second).exists() && !old.exists());
}

#[tokio::test]
async fn where_a_copy_of_redis_is_dated_in_the_future_none_is_removed() {
    let (place, redis) = (tempfile::tempdir().unwrap(), PrivateRedis::start().await);
    let (ahead, port) = (place.path().join("redis").join(AHEAD), redis.address().port.to_string());
    fs::create_dir_all(&ahead).unwrap();
    let variables = [("BACKUP_DIR", place.path().to_str().unwrap()), ("REDIS_PORT", &*port), ("BACKUP_KEEP_DAILY", "1")];
    let copied = run(script("redis-copy", &[]), &variables).await;
    assert!(kept_all(&copied).is_dir() && ahead.is_dir(), "what was just made is kept");
}
