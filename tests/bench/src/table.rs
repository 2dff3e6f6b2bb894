//! Figures printed in columns, and whether the goals among them were met.

use crate::Outcome;
use std::{
    fmt,
    io::{self, Write},
};

/// Prints `rows` under `heads`, each column as wide as its widest cell.
pub(crate) fn print(heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
    };
    let line = |cells: Vec<&str>| -> String {
        let padded = cells.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<0$}", width(column)),
            _ => format!("{cell:>0$}", width(column)),
        });
        padded.collect::<Vec<_>>().join("  ")
    };
    let mut out = io::stdout().lock();
    writeln!(out, "\n{}", line(heads.to_vec()))?;
    for row in rows {
        writeln!(out, "{}", line(row.iter().map(String::as_str).collect()))?;
    }
    Ok(())
}

/// Prints one line at once: a run takes minutes.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A figure that was promised.
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) limit: Limit,
}

pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    fn met(&self) -> bool {
        match self.limit {
            Limit::AtMost(most) => self.value <= most,
            Limit::AtLeast(least) => self.value >= least,
        }
    }
}

/// Prints which goals were met. With `check`, a missed one fails the run.
pub(crate) fn judge(goals: &[Goal], check: bool) -> Outcome<()> {
    say("")?;
    for goal in goals {
        let (sign, limit) = match goal.limit {
            Limit::AtMost(limit) => ("≤", limit),
            Limit::AtLeast(limit) => ("≥", limit),
        };
        say(&format!("{} {}: {:.2} (goal {sign} {limit})", if goal.met() { "met   " } else { "MISSED" }, goal.what, goal.value))?;
    }
    if check && goals.iter().any(|goal| !goal.met()) {
        return Err("a goal was missed".into());
    }
    Ok(())
}

/// The middle one of `values`; 0 where there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Several values of one thing: the middle one between the least and the most.
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) middle: f64,
    pub(crate) most: f64,
}

/// Of `values`, of which there is one at least.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let values: Vec<f64> = values.collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Spread { least, middle: median(values), most }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.middle < 100.0 { 2 } else { 0 };
        write!(f, "{:.digits$} ({:.digits$} to {:.digits$})", self.middle, self.least, self.most)
    }
}

/// A count as a figure to calculate with: none here is near 2⁵².
#[expect(clippy::cast_precision_loss, reason = "counts of microseconds and bytes in minutes are far below 2⁵²")]
pub(crate) const fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_up_to_its_limit() {
        let goal = |value, limit| Goal { what: String::new(), value, limit };
        assert!(goal(0.7, Limit::AtMost(0.7)).met() && !goal(0.71, Limit::AtMost(0.7)).met());
        assert!(goal(0.6, Limit::AtLeast(0.6)).met() && !goal(0.59, Limit::AtLeast(0.6)).met());
        assert!(!goal(f64::NAN, Limit::AtLeast(0.6)).met() && !goal(f64::NAN, Limit::AtMost(0.6)).met());
        assert!(judge(&[goal(2.0, Limit::AtMost(1.0))], true).is_err());
        assert!(judge(&[goal(2.0, Limit::AtMost(1.0))], false).is_ok());
    }

    #[test]
    fn a_spread_is_told_with_as_many_digits_as_matter() {
        assert_eq!(spread([0.5, 0.75, 0.71].into_iter()).to_string(), "0.71 (0.50 to 0.75)");
        assert_eq!(spread([1000.4, 999.6].into_iter()).to_string(), "1000 (1000 to 1000)");
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median([]).abs() < f64::EPSILON);
    }
}
