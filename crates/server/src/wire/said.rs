/// Every `type` of a frame that the server sends. `asyncapi.json` has them all, and a test says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Connected,
    Update,
    Delta,
    PromptFeed,
    Pong,
    Subscribed,
    Unsubscribed,
    Resumed,
    Authenticated,
    AuthExpiring,
    AuthEnded,
    Notification,
    PriceAlert,
    AgentMessage,
    ChannelJoined,
    ChannelLeft,
    BitcoinPrice,
    BitcoinUnsubscribed,
    MarketNews,
    ChatResponse,
    Error,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Connected,
        Self::Update,
        Self::Delta,
        Self::PromptFeed,
        Self::Pong,
        Self::Subscribed,
        Self::Unsubscribed,
        Self::Resumed,
        Self::Authenticated,
        Self::AuthExpiring,
        Self::AuthEnded,
        Self::Notification,
        Self::PriceAlert,
        Self::AgentMessage,
        Self::ChannelJoined,
        Self::ChannelLeft,
        Self::BitcoinPrice,
        Self::BitcoinUnsubscribed,
        Self::MarketNews,
        Self::ChatResponse,
        Self::Error,
    ];

    /// As on the wire. There is no `bitcoin_update` and there must not be: the existing front end falls to its error boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Update => "crypto_ticker_update",
            Self::Delta => "crypto_ticker_delta",
            Self::PromptFeed => "prompt_feed",
            Self::Pong => "pong",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Resumed => "resumed",
            Self::Authenticated => "authenticated",
            Self::AuthExpiring => "auth.expiring",
            Self::AuthEnded => "auth.ended",
            Self::Notification => "notification",
            Self::PriceAlert => "price_alert",
            Self::AgentMessage => "chat_agent_message",
            Self::ChannelJoined => "channel_joined",
            Self::ChannelLeft => "channel_left",
            Self::BitcoinPrice => "bitcoin_price",
            Self::BitcoinUnsubscribed => "bitcoin_unsubscribed",
            Self::MarketNews => "market_news",
            Self::ChatResponse => "chat_response",
            Self::Error => "error",
        }
    }
}
