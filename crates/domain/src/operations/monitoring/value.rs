/// Something measured: a finite number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Value(f64);

impl Value {
    /// Beyond anything that is measured here; the squares of a thousand of it still have a sum that is a number.
    pub const LARGEST: f64 = 1e100;

    /// `None` for what is no number or beyond [`Value::LARGEST`].
    #[must_use]
    pub fn try_new(value: f64) -> Option<Self> {
        // What is no number compares as false. There is one zero.
        (value.abs() <= Self::LARGEST).then_some(Self(value + 0.0))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A count as a number that can be reckoned with; counts beyond 2³² are taken for that.
pub(super) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_finite_number_is_no_value() {
        for none in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 1.1e100] {
            assert_eq!(Value::try_new(none), None, "{none}");
        }
        for some in [0.0, -1.5, 1e100, f64::MIN_POSITIVE] {
            assert_eq!(Value::try_new(some).map(Value::get), Some(some));
        }
        assert!(Value::try_new(-0.0).unwrap().get().is_sign_positive());
    }
}
