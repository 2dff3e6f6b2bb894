//! What `coinlink config check` prints.

use std::fmt::Write as _;

use super::{
    layers::{Loaded, Origin},
    problem::{ConfigError, Problem},
    registry::SETTINGS,
    settings::{Mode, Settings},
};

impl Loaded {
    /// Everything wrong for running in `mode`: with what was written, and with what is missing or weak. A setting whose
    /// value was refused is not also called missing.
    pub fn all_problems(&self, mode: Mode) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        let missing = self.settings.problems(mode);
        problems.extend(missing.into_iter().filter(|missing| !self.problems.iter().any(|known| about(known, missing))));
        problems
    }

    /// The settings, if nothing is wrong with them for the mode they were loaded for.
    pub fn into_settings(self) -> Result<Settings, ConfigError> {
        let problems = self.all_problems(self.settings.mode);
        if problems.is_empty() { Ok(self.settings) } else { Err(ConfigError { problems }) }
    }

    /// Every setting in effect with its layer, secrets masked; then the problems for `mode`.
    pub fn report(&self, mode: Mode) -> String {
        let mut text = String::new();
        let mut section = "";
        for entry in SETTINGS {
            let Some((of, key)) = entry.path.split_once('.') else { continue };
            if of != section {
                let _ = writeln!(text, "{}[{of}]", if section.is_empty() { "" } else { "\n" });
                section = of;
            }
            let Some(value) = self.table.get(of).and_then(|keys| keys.get(key)) else { continue };
            let shown = entry.kind.shown(value);
            let origin = self.origins.get(entry.path).unwrap_or(&Origin::Default);
            let _ = writeln!(text, "{:<60} # {} ({origin})", format!("{key} = {shown}"), entry.name());
        }
        for warning in self.settings.warnings(mode) {
            let _ = writeln!(text, "\nWarning: {warning}");
        }
        let problems = self.all_problems(mode);
        if problems.is_empty() {
            text.push_str("\nNo problems.\n");
        } else {
            let _ = writeln!(text, "\n{}", ConfigError { problems });
        }
        text
    }
}

/// Whether both are about one setting, under whichever of its names.
fn about(known: &Problem, missing: &Problem) -> bool {
    let entry = SETTINGS.iter().find(|entry| entry.name() == missing.setting);
    entry.is_some_and(|entry| {
        entry.variables.iter().any(|name| known.setting == *name || known.setting.strip_suffix("_FILE") == Some(name))
    })
}
