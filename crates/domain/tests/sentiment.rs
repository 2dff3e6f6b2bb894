//! How often the list of words finds the mood of headlines, and what it may never do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, io::Write as _};

use coinlink_domain::market::sentiment::{LEXICON_VERSION, Mood, read};

const HEADLINES: &str = include_str!("fixtures/headlines.tsv");
const LABELS: [&str; 3] = ["negative", "neutral", "positive"];

struct Headline {
    id: u32,
    label: usize,
    kind: &'static str,
    text: &'static str,
}

fn headlines() -> Vec<Headline> {
    let lines = HEADLINES.lines().filter(|line| !line.starts_with('#')).skip(1);
    let parsed = lines.map(|line| {
        let [id, label, kind, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let label = LABELS.iter().position(|known| *known == label).unwrap();
        Headline { id: id.parse().unwrap(), label, kind, text }
    });
    parsed.collect()
}

/// The mood in one of the three words that headlines are labelled with.
fn found(text: &str) -> usize {
    match read(text).score.mood() {
        Mood::VeryNegative | Mood::Negative => 0,
        Mood::Neutral => 1,
        Mood::Positive | Mood::VeryPositive => 2,
    }
}

#[derive(Default)]
struct Outcome {
    /// By label, by what was found.
    confusion: [[u32; 3]; 3],
}

impl Outcome {
    fn of<'a>(half: impl Iterator<Item = &'a Headline>) -> Self {
        let mut outcome = Self::default();
        for headline in half {
            outcome.confusion[headline.label][found(headline.text)] += 1;
        }
        outcome
    }

    fn all(&self) -> u32 {
        self.confusion.iter().flatten().sum()
    }

    fn right(&self) -> u32 {
        (0..3).map(|n| self.confusion[n][n]).sum()
    }

    /// Good taken for bad, and bad for good.
    fn opposite(&self) -> u32 {
        self.confusion[0][2] + self.confusion[2][0]
    }

    /// Right ones in a thousand.
    fn accuracy(&self) -> u32 {
        self.right() * 1_000 / self.all()
    }

    fn told(&self, name: &str, to: &mut String) {
        let (whole, tenth) = (self.accuracy() / 10, self.accuracy() % 10);
        let (right, all, opposite) = (self.right(), self.all(), self.opposite());
        writeln!(to, "{LEXICON_VERSION}, {name}: {right} of {all} right ({whole}.{tenth} %), {opposite} taken for the opposite")
            .unwrap();
        writeln!(to, "| labelled \\ found | negative | neutral | positive |\n|---|---|---|---|").unwrap();
        for (label, [negative, neutral, positive]) in LABELS.iter().zip(self.confusion) {
            writeln!(to, "| {label} | {negative} | {neutral} | {positive} |").unwrap();
        }
    }
}

/// Past the capture of the test harness, so that the command in docs/sentiment.md shows it without a flag.
fn show(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_list_of_words_finds_the_mood_of_most_headlines_it_was_not_made_by() {
    let headlines = headlines();
    let development = Outcome::of(headlines.iter().filter(|headline| headline.id % 2 == 1));
    let held_out = Outcome::of(headlines.iter().filter(|headline| headline.id % 2 == 0));
    let mut text = String::from("\n");
    development.told("development half", &mut text);
    held_out.told("held-out half", &mut text);
    if std::env::var_os("SHOW_ERRORS").is_some() {
        for headline in headlines.iter().filter(|headline| headline.id % 2 == 1 && found(headline.text) != headline.label) {
            let reading = read(headline.text);
            let (score, words) = (reading.score.value(), reading.keywords);
            writeln!(text, "{} {} [{}] {score} {words:?} {}", headline.id, LABELS[headline.label], headline.kind, headline.text)
                .unwrap();
        }
    }
    show(&text);
    assert_eq!((headlines.len(), development.all(), held_out.all()), (400, 200, 200));
    assert!(held_out.opposite() <= 12, "{text}");
    assert!(held_out.accuracy() >= 850, "{text}");
}
