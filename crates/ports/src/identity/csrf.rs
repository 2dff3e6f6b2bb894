use coinlink_domain::identity::SessionId;

/// Makes and reads the tokens by which a page shows that it may read our answers, and so that a request in which a browser sent
/// its cookies is that page's own. A token is a function of the session: nothing has to be kept of it, and with another session
/// it is another one.
pub trait CsrfTokens: Send + Sync {
    /// The token of `session`: visible ASCII without blanks.
    fn mint(&self, session: SessionId) -> String;

    /// Whether `presented` is the token of `session`. Takes the same time wherever it differs. Never panics, whatever is
    /// presented.
    fn belongs(&self, presented: &str, session: SessionId) -> bool;
}
