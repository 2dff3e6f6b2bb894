use std::hint::black_box;

use bcrypt::BcryptResult;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What one caller wants computed.
pub(super) struct Work {
    pub(super) input: Zeroizing<String>,
    pub(super) cost: u32,
    pub(super) salt: [u8; 16],
    /// What a check compares with; making a password has nothing.
    pub(super) goal: Option<Goal>,
}

/// What a check hopes to find.
pub(super) struct Goal {
    /// Of the right password, as it is kept.
    pub(super) hash: String,
    /// Whatever differs is as much work as one computation at this cost, where it can be.
    pub(super) level: u32,
}

impl Work {
    /// The hash, by `bcrypt`, which is given input, cost and salt.
    ///
    /// A check at a cost below the level that does not match goes on at its own cost and each one between: 2^c + 2^c + 2^(c+1) +
    /// … + 2^(C−1) = 2^C rounds, as many as for an address that nobody has. Else, after the cost was raised, time would tell which
    /// addresses have accounts. One that matches is over sooner, which is no secret where the answer tells a wrong password from
    /// the right one, too, and at sign-in the password is then made anew at the level. Where the answer must not tell, as while
    /// guessing is slowed down, there is nothing to check, and the caller gives `None`.
    pub(super) fn compute(&self, mut bcrypt: impl FnMut(&[u8], u32, [u8; 16]) -> BcryptResult<String>) -> BcryptResult<String> {
        let mut at = |cost| bcrypt(self.input.as_bytes(), cost, self.salt);
        let hash = at(self.cost)?;
        let missed = self.goal.as_ref().filter(|goal| !bool::from(goal.hash.as_bytes().ct_eq(hash.as_bytes())));
        if let Some(goal) = missed {
            for cost in self.cost..goal.level {
                black_box(at(cost)?);
            }
        }
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of bcrypt, counted as they are asked for and not done.
    fn rounds(cost: u32, goal: impl Into<Option<Goal>>) -> (u64, Vec<u32>) {
        let (mut costs, goal) = (Vec::new(), goal.into());
        let work = Work { input: "input".to_owned().into(), cost, salt: *b"salt of 16 bytes", goal };
        let hash = work.compute(|input, cost, salt| {
            assert_eq!((input, salt), (&b"input"[..], *b"salt of 16 bytes"));
            costs.push(cost);
            Ok(format!("hash of cost {cost}"))
        });
        assert_eq!(hash.unwrap(), format!("hash of cost {cost}"), "and what is computed after it is nobody's answer");
        (costs.iter().map(|cost| 1 << cost).sum(), costs)
    }

    fn differs(level: u32) -> Goal {
        Goal { hash: "another hash".into(), level }
    }

    fn matches(cost: u32, level: u32) -> Goal {
        Goal { hash: format!("hash of cost {cost}"), level }
    }

    #[test]
    fn what_differs_is_the_same_work_at_every_cost_up_to_the_level() {
        assert_eq!(rounds(10, differs(11)), (1 << 11, vec![10, 10]));
        assert_eq!(rounds(10, differs(12)), (1 << 12, vec![10, 10, 11]));
        for level in 10..=15 {
            for cost in 10..=level {
                assert_eq!(rounds(cost, differs(level)).0, 1 << level, "{cost} {level}");
            }
        }
    }

    #[test]
    fn what_matches_or_is_made_or_is_above_the_level_is_computed_once() {
        assert_eq!(rounds(10, matches(10, 12)), (1 << 10, vec![10]));
        assert_eq!(rounds(12, None), (1 << 12, vec![12]));
        assert_eq!(rounds(13, differs(12)), (1 << 13, vec![13]));
    }
}
