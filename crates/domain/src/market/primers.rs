//! What to read where there are no news: pages that last. Titles and summaries are in our own words.

use std::sync::Arc;

use super::{Article, News, NewsSource};

/// Title, address, publisher, summary.
const PRIMERS: [(&str, &str, &str, &str); 16] = [
    (
        "Bitcoin: the paper that began it",
        "https://bitcoin.org/bitcoin.pdf",
        "bitcoin.org",
        "Satoshi Nakamoto's nine pages of 2008: how strangers can keep one ledger of payments without a bank in between.",
    ),
    (
        "Getting started with bitcoin",
        "https://bitcoin.org/en/getting-started",
        "bitcoin.org",
        "What to know before the first payment: choosing a wallet, getting some, spending it and accepting it.",
    ),
    (
        "How bitcoin works",
        "https://bitcoin.org/en/how-it-works",
        "bitcoin.org",
        "Balances, transactions and mining in a few paragraphs, for readers who do not program.",
    ),
    (
        "Questions people ask about bitcoin",
        "https://bitcoin.org/en/faq",
        "bitcoin.org",
        "Who controls it, whether it is legal, what gives it value, how safe it is: short answers to common questions.",
    ),
    (
        "Words used around bitcoin",
        "https://bitcoin.org/en/vocabulary",
        "bitcoin.org",
        "Address, block, confirmation, hash rate, private key: a glossary for beginners.",
    ),
    (
        "Keeping your wallet safe",
        "https://bitcoin.org/en/secure-your-wallet",
        "bitcoin.org",
        "Backups, encryption, offline storage and the mistakes that lose money for good.",
    ),
    (
        "Developer guide to the block chain",
        "https://developer.bitcoin.org/devguide/block_chain.html",
        "developer.bitcoin.org",
        "How blocks are chained and checked, what forks are, and how the network agrees on one history.",
    ),
    (
        "Developer guide to transactions",
        "https://developer.bitcoin.org/devguide/transactions.html",
        "developer.bitcoin.org",
        "Inputs, outputs, scripts and signatures: what a bitcoin payment is made of, step by step.",
    ),
    (
        "Bitcoin improvement proposals",
        "https://github.com/bitcoin/bips",
        "GitHub",
        "The numbered documents in which changes to bitcoin are proposed, argued over and recorded.",
    ),
    (
        "Bitcoin Core, the reference software",
        "https://bitcoincore.org/en/about/",
        "bitcoincore.org",
        "Who maintains the program that most full nodes run, and how it is developed and released.",
    ),
    (
        "Mastering Bitcoin",
        "https://github.com/bitcoinbook/bitcoinbook",
        "GitHub",
        "Andreas Antonopoulos's and David Harding's book on keys, wallets, transactions and mining, free to read.",
    ),
    (
        "What Ethereum is",
        "https://ethereum.org/en/what-is-ethereum/",
        "ethereum.org",
        "How a network that runs programs differs from one that moves a single currency.",
    ),
    (
        "The Ethereum whitepaper",
        "https://ethereum.org/en/whitepaper/",
        "ethereum.org",
        "Vitalik Buterin's proposal of 2014 for a block chain with a programming language built in.",
    ),
    (
        "The Lightning Network paper",
        "https://lightning.network/lightning-network-paper.pdf",
        "lightning.network",
        "Joseph Poon and Thaddeus Dryja on payment channels: many small payments with few entries in the chain.",
    ),
    (
        "Investor alerts on crypto assets",
        "https://www.investor.gov/additional-resources/spotlight/crypto-assets",
        "investor.gov",
        "The United States regulator's notes for private investors: risks, common frauds and questions to ask first.",
    ),
    (
        "The Fear & Greed index explained",
        "https://alternative.me/crypto/fear-and-greed-index/",
        "alternative.me",
        "What goes into the daily figure between 0 and 100, and what it is meant to show.",
    ),
];

/// The primers, those to read first first.
#[must_use]
pub fn primers() -> News {
    let article = |&(title, url, publisher, summary): &(&str, &str, &str, &str)| Article {
        title: title.into(),
        url: url.into(),
        publisher: publisher.into(),
        summary: Some(Arc::from(summary)),
        published_at: None,
    };
    News { source: NewsSource::Curated, articles: PRIMERS.iter().map(article).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_a_dozen_or_more_different_pages_and_none_pretends_to_be_news() {
        let primers = primers();
        let urls: HashSet<_> = primers.articles.iter().map(|article| article.url.clone()).collect();
        assert!(urls.len() >= 12 && urls.len() == primers.articles.len());
        assert_eq!(primers.source, NewsSource::Curated);
        for article in primers.articles.iter() {
            assert!(article.url.starts_with("https://") && article.published_at.is_none(), "{}", article.url);
            assert!(!article.title.is_empty() && article.summary.as_ref().is_some_and(|summary| summary.len() > 40));
        }
    }
}
