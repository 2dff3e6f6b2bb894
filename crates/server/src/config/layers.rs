//! One layer over another: the built-in defaults, the environment's file, environment variables, flags.

use std::{
    collections::BTreeMap,
    fmt,
    io::Read as _,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{
    by_mode,
    problem::Problem,
    registry::{self, Entry, SETTINGS},
    settings::{Mode, Settings},
};

/// The lowest layer, and the documentation of every setting.
pub(super) const DEFAULTS: &str = include_str!("../../../../config/default.toml");
/// Files that need not be on the disk.
const EMBEDDED: [(&str, &str); 2] = [
    ("production", include_str!("../../../../config/production.toml")),
    ("strict", include_str!("../../../../config/strict.toml")),
];
/// The longest secret file that is read.
const MAX_SECRET_FILE: u64 = 64 * 1024;

/// Where settings come from, apart from the built-in defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// How the program runs.
    pub mode: Mode,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Command-line flags: path and text.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// This process's environment and the given flags. Variables that are not UTF-8 are none of ours.
    pub fn of_process(mode: Mode, flags: Vec<(&'static str, String)>) -> Self {
        let text =
            |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self { mode, variables: std::env::vars_os().filter_map(text).collect(), flags }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Which layer a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// Filled in for how the program runs.
    Mode(Mode),
    /// A settings file.
    File(String),
    /// An environment variable, or the file it names.
    Variable(String),
    /// A command-line flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Mode(Mode::Dev) => f.write_str("default of dev"),
            Self::Mode(Mode::Serve) => f.write_str("default of serve"),
            Self::File(name) | Self::Variable(name) => f.write_str(name),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// Settings with what was wrong on the way. A value that does not fit is reported and the layer below kept, so that one
/// pass finds everything. Not `Debug`: it holds secrets as they were written.
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What was wrong with what was written.
    pub problems: Vec<Problem>,
    /// Where each value is from, by path.
    pub origins: BTreeMap<&'static str, Origin>,
    /// The values as written, by path; for showing.
    pub(super) table: Table,
}

/// Reads all layers.
pub fn load(sources: &Sources) -> Loaded {
    let mut stack = Stack::new();
    let environment = stack.environment(sources);
    stack.file(Path::new(sources.variable("CONFIG_DIR").unwrap_or("config")), &environment);
    for entry in SETTINGS {
        stack.variable(entry, sources);
    }
    for (path, text) in &sources.flags {
        if let Some(entry) = registry::find(path) {
            let value = entry.kind.parse(text);
            stack.set(entry, value, Origin::Flag);
        }
    }
    for (path, value) in by_mode::values(sources.mode, &stack.table) {
        if let Some(entry) = registry::find(path) {
            stack.set(entry, entry.kind.accept(value), Origin::Mode(sources.mode));
        }
    }
    let Stack { table, origins, problems } = stack;
    let settings: Settings = Value::Table(table.clone()).try_into().unwrap_or_else(|error| {
        // Every value was checked against the registry, and a test holds registry, defaults and struct together.
        unreachable!("checked settings do not fit: {error}")
    });
    Loaded { settings: Settings { mode: sources.mode, environment, ..settings }, problems, origins, table }
}

struct Stack {
    table: Table,
    origins: BTreeMap<&'static str, Origin>,
    problems: Vec<Problem>,
}

impl Stack {
    fn new() -> Self {
        let table = DEFAULTS.parse().unwrap_or_else(|error| unreachable!("default.toml is not TOML: {error}"));
        Self { table, origins: SETTINGS.iter().map(|entry| (entry.path, Origin::Default)).collect(), problems: Vec::new() }
    }

    fn environment(&mut self, sources: &Sources) -> String {
        let default = if sources.mode == Mode::Dev { "local" } else { "production" };
        let named = sources.variable("COINLINK_ENV").unwrap_or(default);
        if named.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return named.to_owned();
        }
        self.problems.push(Problem::new(
            "COINLINK_ENV",
            "is no name of a settings file",
            "write letters, digits, - and _, such as production",
        ));
        default.to_owned()
    }

    fn file(&mut self, folder: &Path, environment: &str) {
        let path: PathBuf = folder.join(format!("{environment}.toml"));
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                match EMBEDDED.iter().find(|(name, _)| *name == environment) {
                    Some((_, text)) => (*text).to_owned(),
                    None if environment == "local" => return,
                    None => {
                        let fix = "create it, or set COINLINK_ENV to production or strict";
                        return self.problems.push(Problem::new(&shown, "is not there", fix));
                    }
                }
            }
            Err(error) => {
                return self.problems.push(Problem::new(&shown, &format!("cannot be read: {error}"), "make it readable"));
            }
        };
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let why = not_toml(&text, &error);
                return self.problems.push(Problem::new(&shown, &why, "mend that line"));
            }
        };
        self.layer(table, &shown);
    }

    fn layer(&mut self, table: Table, file: &str) {
        for (section, value) in table {
            let Value::Table(keys) = value else {
                self.unknown(&section, file);
                continue;
            };
            for (key, value) in keys {
                let path = format!("{section}.{key}");
                match registry::find(&path) {
                    Some(entry) => self.set(entry, entry.kind.accept(value), Origin::File(file.to_owned())),
                    None => self.unknown(&path, file),
                }
            }
        }
    }

    fn unknown(&mut self, path: &str, file: &str) {
        let nearest =
            SETTINGS.iter().min_by_key(|entry| distance(path, entry.path)).filter(|entry| distance(path, entry.path) <= 4);
        let fix = match nearest {
            Some(entry) => format!("did you mean {:?}?", entry.path),
            None => "remove it; config/default.toml has every setting".to_owned(),
        };
        self.problems.push(Problem::new(file, &format!("has an unknown key {path:?}"), &fix));
    }

    fn variable(&mut self, entry: &'static Entry, sources: &Sources) {
        let direct = entry.variables.iter().find_map(|name| sources.variable(name).map(|text| (*name, text)));
        if !entry.kind.is_secret() {
            if let Some((name, text)) = direct {
                self.set(entry, entry.kind.parse(text), Origin::Variable(name.to_owned()));
            }
            return;
        }
        let file = entry.variables.iter().map(|name| format!("{name}_FILE")).find_map(|name| {
            let path = sources.variable(&name)?.to_owned();
            Some((name, path))
        });
        match (direct, file) {
            (Some((name, _)), Some((file, _))) => {
                self.problems.push(Problem::new(name, &format!("is set, and so is {file}"), "keep one of them"));
            }
            (Some((name, text)), None) => self.set(entry, entry.kind.parse(text), Origin::Variable(name.to_owned())),
            (None, Some((name, path))) => match read_secret(Path::new(&path)) {
                Ok(text) => self.set(entry, entry.kind.parse(&text), Origin::Variable(name)),
                Err(why) => {
                    self.problems.push(Problem::new(&name, &why, "name a readable file that holds the secret and nothing else"));
                }
            },
            (None, None) => {}
        }
    }

    fn set(&mut self, entry: &'static Entry, value: Result<Value, String>, origin: Origin) {
        match value {
            Ok(value) => {
                if let Some((section, key)) = entry.path.split_once('.')
                    && let Some(Value::Table(keys)) = self.table.get_mut(section)
                {
                    keys.insert(key.to_owned(), value);
                    self.origins.insert(entry.path, origin);
                }
            }
            Err(fix) => {
                self.problems.push(Problem::new(entry.name(), &format!("({}, from {origin}) does not fit", entry.path), &fix));
            }
        }
    }
}

/// Where it is and what is wrong, without the line itself, which may hold a secret.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().and_then(|span| text.as_bytes().get(..span.start));
    let line = at.map(|before| format!("line {}: ", before.split(|byte| *byte == b'\n').count())).unwrap_or_default();
    format!("is not TOML: {line}{}", error.message().replace('\n', " "))
}

/// Of a file or a pipe: a device may have no end.
fn read_secret(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("names a file that cannot be read: {error}");
    let kind = std::fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() && !kind.is_fifo() {
        return Err("names something that is no file".into());
    }
    let mut text = String::new();
    std::fs::File::open(path).and_then(|file| file.take(MAX_SECRET_FILE + 1).read_to_string(&mut text)).map_err(unreadable)?;
    if text.len() as u64 > MAX_SECRET_FILE {
        return Err(format!("names a file of more than {MAX_SECRET_FILE} bytes"));
    }
    if text.trim().is_empty() { Err("names an empty file".into()) } else { Ok(text) }
}

/// Edits that turn one text into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let edit = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], edit);
        }
    }
    row[b.len()]
}
