//! docs/settings.md and .env.example, made of the table of settings and of config/default.toml: what is written there is what is so.

use std::fmt::Write as _;

use super::{
    kind::Kind,
    layers::{DEFAULTS, Sources, load},
    registry::{Entry, SETTINGS},
    settings::Mode,
};

/// Columns of a comment in .env.example.
const WIDTH: usize = 110;

/// What default.toml says of one setting.
struct Told {
    /// The value as it is written there.
    default: String,
    /// What it is for.
    text: String,
}

/// docs/settings.md.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Made from the code by `UPDATE_DOCS=1 cargo test -p coinlink --test it settings`; [.env.example](../.env.example) is the same for copying. \
         `coinlink config check`\nprints what is in effect, where it comes from, and what is wrong with it.\n\n\
         Later wins: the defaults below, which are built into the binary; `config/<environment>.toml`; environment variables; flags. \
         `COINLINK_ENV` names the environment\n(`production` under `coinlink serve`, `local` under `coinlink dev`), `CONFIG_DIR` another folder than `config`. \
         An empty text or list is not set.\n\n\
         A secret may also be in a file, which `NAME_FILE` names: `DATABASE_URL_FILE=/run/secrets/database_url`. One of the two, not both.\n\n\
         No file `.env` is read: load one with `set -a; . ./.env; set +a`, or name it under `env_file` of compose or `EnvironmentFile=` of systemd.\n\n\
         `OTEL_RESOURCE_ATTRIBUTES` is read by the library that makes traces, and is in none of the tables: `key=value,key=value`, which are\nadded to what \
         each node says of itself ([observability.md](observability.md)).\n",
    );
    let required = required();
    let mut section = "";
    for (entry, of, told) in entries() {
        if of != section {
            section = of;
            let _ = write!(page, "\n## {section}\n\n");
            if let Some(text) = told_of_section(section) {
                let _ = write!(page, "{text}\n\n");
            }
            page.push_str("| variable | in the file | takes | default | |\n|---|---|---|---|---|\n");
        }
        let names: Vec<String> = entry.variables.iter().map(|name| format!("`{name}`")).collect();
        let default = if is_empty(&told.default) { String::new() } else { format!("`{}`", told.default) };
        let required = if required.contains(&entry.name()) { "**Required by `serve`.** " } else { "" };
        let notes = format!("{required}{}", without_required(&told.text)).replace('|', "\\|");
        let _ =
            writeln!(page, "| {} | `{}` | {} | {default} | {} |", names.join(", "), entry.path, takes(entry.kind), notes.trim());
    }
    page
}

/// .env.example: what `serve` requires is there to be filled in, everything else is a comment with its default.
pub fn env_example() -> String {
    let mut file = String::from(
        "# Every setting of CoinLink as an environment variable. Made from the code by\n\
         # `UPDATE_DOCS=1 cargo test -p coinlink --test it settings`; docs/settings.md is the same for reading.\n\
         # What stands without a # is required by `coinlink serve`; `coinlink dev` needs none of it.\n\
         # A secret is better a file: NAME_FILE=/run/secrets/name in place of NAME=.\n\
         # CoinLink reads variables and no file: load a copy of this with `set -a; . ./.env; set +a`, or name it under\n\
         # `env_file` of compose or `EnvironmentFile=` of systemd.\n\n\
         # Which settings file is read: production, strict, or config/<name>.toml of your own.\n\
         # COINLINK_ENV=production\n\
         # CONFIG_DIR=config\n\n\
         # Read by the library that makes traces: key=value,key=value, added to what each node says of itself.\n\
         # OTEL_RESOURCE_ATTRIBUTES=\n",
    );
    let required = required();
    let mut section = "";
    for (entry, of, told) in entries() {
        if of != section {
            section = of;
            let _ = write!(file, "\n# ---- {section}");
            if let Some(text) = told_of_section(section) {
                let _ = write!(file, ": {text}");
            }
            file.push('\n');
        }
        let text = format!("({}) {}", takes(entry.kind), without_required(&told.text));
        file.push('\n');
        for line in wrapped(&text, WIDTH) {
            let _ = writeln!(file, "# {line}");
        }
        let hash = if required.contains(&entry.name()) { "" } else { "# " };
        let _ = writeln!(file, "{hash}{}={}", entry.name(), plain(&told.default));
    }
    file
}

fn entries() -> impl Iterator<Item = (&'static Entry, &'static str, Told)> {
    SETTINGS.iter().filter_map(|entry| {
        let (section, key) = entry.path.split_once('.')?;
        Some((entry, section, told_of(entry, section, key)?))
    })
}

/// What `serve` calls missing where nothing is set.
fn required() -> Vec<&'static str> {
    // No file of the folder this runs in.
    let variables = [("CONFIG_DIR".to_owned(), "/nonexistent".to_owned())].into();
    let loaded = load(&Sources { mode: Mode::Serve, variables, flags: vec![] });
    let missing = loaded.all_problems(Mode::Serve);
    SETTINGS.iter().map(Entry::name).filter(|name| missing.iter().any(|problem| problem.setting == *name)).collect()
}

/// The lines of default.toml from a section's head to the next one's.
fn lines_of(section: &str) -> impl Iterator<Item = &'static str> {
    let head = format!("[{section}]");
    DEFAULTS.lines().skip_while(move |line| !line.starts_with(&head)).skip(1).take_while(|line| !line.starts_with('['))
}

fn told_of_section(section: &str) -> Option<&'static str> {
    let head = format!("[{section}]");
    let line = DEFAULTS.lines().find(|line| line.starts_with(&head))?;
    Some(line.split_once(" # ")?.1.trim())
}

fn told_of(entry: &Entry, section: &str, key: &str) -> Option<Told> {
    let start = format!("{key} = ");
    let mut lines = lines_of(section).skip_while(|line| !line.starts_with(&start));
    let (default, first) = lines.next()?.strip_prefix(&start)?.split_once(" # ")?;
    let more = lines.take_while(|line| line.starts_with(' ')).map(|line| line.trim_start_matches([' ', '#']));
    let text = std::iter::once(without_names(entry, first.trim())).chain(more).collect::<Vec<_>>().join(" ");
    Some(Told { default: default.trim().to_owned(), text: text.trim().to_owned() })
}

/// What follows the names of the variable: `HOST. Empty: …` is `Empty: …`.
fn without_names<'a>(entry: &Entry, text: &'a str) -> &'a str {
    let mut text = text.strip_prefix(entry.name()).unwrap_or(text);
    for other in &entry.variables[1..] {
        text = text.strip_prefix(", also ").and_then(|rest| rest.strip_prefix(other)).unwrap_or(text);
    }
    text.trim_start().trim_start_matches("(secret)").trim_start_matches(['.', ',', ':']).trim_start()
}

/// What it takes, in short.
fn takes(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Int { min, max } => format!("{min} to {max}"),
        Kind::Ratio => "0 to 1".into(),
        Kind::Bool => "true, false".into(),
        Kind::Choice(words) => words.join(", "),
        Kind::Url(schemes) => format!("URL ({})", schemes.join(", ")),
        Kind::OwnUrl => "URL".into(),
        Kind::Secret(_) => "secret".into(),
        Kind::Origins => "origins".into(),
        Kind::Cidrs => "networks".into(),
        Kind::Providers(sources) => sources.iter().map(|source| source.name()).collect::<Vec<_>>().join(", "),
        Kind::SocketAddress => "address:port".into(),
        Kind::LogLevel => "level, or module=level".into(),
        Kind::MailAddress => "mail address".into(),
    }
}

/// Without what is said in a place of its own.
fn without_required(text: &str) -> String {
    let text = text.replace(" Required by serve.", "");
    text.strip_prefix("Required by serve.").unwrap_or(&text).trim().to_owned()
}

fn is_empty(default: &str) -> bool {
    matches!(default, "\"\"" | "[]")
}

/// A default as a variable holds it: `["a", "b"]` is `a,b`.
fn plain(default: &str) -> String {
    default.trim_matches(['[', ']']).replace('"', "").replace(", ", ",")
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
