use coinlink_ports::shared::StoreError;

/// Which calls fail.
#[derive(Default)]
pub(crate) struct Faults {
    calls: usize,
    next_fails: bool,
    fail_from: Option<usize>,
}

impl Faults {
    pub(crate) fn call(&mut self) -> Result<(), StoreError> {
        let fails = std::mem::take(&mut self.next_fails) || self.fail_from.is_some_and(|from| self.calls >= from);
        self.calls += 1;
        if fails { Err(unavailable("this call was told to fail")) } else { Ok(()) }
    }

    pub(crate) fn fail_next(&mut self) {
        self.next_fails = true;
    }

    pub(crate) fn fail_after(&mut self, calls: usize) {
        self.fail_from = Some(self.calls.saturating_add(calls));
    }

    pub(crate) fn recover(&mut self) {
        *self = Self { calls: self.calls, ..Self::default() };
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls
    }
}

pub(crate) fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}
