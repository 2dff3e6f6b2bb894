//! Retry budget: retries are paid for by ordinary calls, so that a failing provider is not called twice as often.

/// A store of tenths of a retry: each ordinary call pays in one tenth, each retry takes ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    tenths: u32,
}

/// The most that can be saved: two retries.
const CAP: u32 = 20;
/// What one retry costs.
const RETRY: u32 = 10;

impl Default for RetryBudget {
    /// Starts with one retry saved.
    fn default() -> Self {
        Self { tenths: RETRY }
    }
}

impl RetryBudget {
    /// An ordinary call was made.
    pub fn deposit(&mut self) {
        self.tenths = (self.tenths + 1).min(CAP);
    }

    /// Takes one retry if the budget has it.
    pub fn withdraw(&mut self) -> bool {
        let paid = self.tenths >= RETRY;
        if paid {
            self.tenths -= RETRY;
        }
        paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_at_most_a_tenth_of_the_calls_beyond_the_first() {
        let mut budget = RetryBudget::default();
        let mut retries = 0;
        for _ in 0..1_000 {
            budget.deposit();
            retries += u32::from(budget.withdraw());
        }
        assert_eq!(retries, 101);
    }

    #[test]
    fn quiet_times_save_two_retries_at_most() {
        let mut budget = RetryBudget::default();
        for _ in 0..1_000 {
            budget.deposit();
        }
        assert_eq!([budget.withdraw(), budget.withdraw(), budget.withdraw()], [true, true, false]);
    }
}
