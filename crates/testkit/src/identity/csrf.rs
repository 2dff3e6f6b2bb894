use coinlink_domain::identity::SessionId;
use coinlink_ports::identity::CsrfTokens;

/// CSRF tokens that anyone can make: `csrf:<session>`.
#[derive(Debug, Default)]
pub struct PlainCsrfTokens;

impl CsrfTokens for PlainCsrfTokens {
    fn mint(&self, session: SessionId) -> String {
        format!("csrf:{session}")
    }

    fn belongs(&self, presented: &str, session: SessionId) -> bool {
        presented == self.mint(session)
    }
}
