//! Signing in with a Bitcoin wallet, on the embedded store and on PostgreSQL with Redis.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use coinlink_domain::identity::{AddressKind, Network};
use coinlink_end_to_end_tests::{Answer, Api, Held, Node, PASSWORD, Serve, UNLIMITED, somebody};
use coinlink_testkit::{
    identity::BitcoinWallet,
    servers::{fresh_database, shared_redis},
    upstream_stub::StubUpstream,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

const CHALLENGE: &str = "/api/v2/auth/wallet/challenge";
const VERIFY: &str = "/api/v2/auth/wallet/verify";
const LINK: &str = "/api/v2/auth/wallet/link";
const WALLETS: &str = "/api/v2/auth/wallets";

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn link(api: &Api, held: &Held, wallet: &BitcoinWallet) -> Answer {
    let asked = api.post_as(&held.access, CHALLENGE, &json!({"address": wallet.address(), "purpose": "link"})).await.expect(200);
    let signature = wallet.sign(text(&asked.json["message"]));
    let body = json!({"challenge": asked.json["challenge"], "signature": signature, "password": PASSWORD});
    api.post_as(&held.access, LINK, &body).await
}

/// What answers a challenge of this node with the signature in its form number `form`.
async fn answer(api: &Api, wallet: &BitcoinWallet, form: usize) -> Value {
    let asked = api.post(CHALLENGE, &json!({"address": wallet.address()})).await.expect(200);
    let (_, signature) = wallet.signatures(text(&asked.json["message"])).swap_remove(form);
    json!({"challenge": asked.json["challenge"], "signature": signature})
}

/// Every kind of wallet signs in, and of fifty who send one answer at once, to all `nodes`, one does.
async fn wallets_sign_in(nodes: &[Api]) {
    let (first, last) = (&nodes[0], &nodes[nodes.len() - 1]);
    let held = first.sign_up(&somebody()).await;
    let name = held.user.clone();
    for kind in AddressKind::ALL {
        let wallet = BitcoinWallet::new(kind, Network::Regtest, &name);
        let _ = link(first, &held, &wallet).await.expect(201);
        for form in 0..wallet.signatures("").len() {
            let body = answer(first, &wallet, form).await;
            let signed_in = Held::of(&last.post(VERIFY, &body).await.expect(200));
            assert_eq!(signed_in.user, held.user);
            let again = last.post(VERIFY, &body).await.expect(401);
            assert_eq!(again.code(), "invalid_signature");
        }
        let sessions =
            async || first.get_as(&held.access, "/api/v2/user/sessions").await.expect(200).json.as_array().unwrap().len();
        let before = sessions().await;
        let body = answer(last, &wallet, 0).await;
        let answers = join_all((0..50).map(|at| nodes[at % nodes.len()].post(VERIFY, &body))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (200, &[401; 49][..]), "{kind:?}");
        assert_eq!(sessions().await, before + 1, "{kind:?}");
    }
    let stranger = BitcoinWallet::new(AddressKind::P2tr, Network::Regtest, "stranger");
    let refused = first.post(VERIFY, &answer(first, &stranger, 0).await).await.expect(401);
    assert_eq!(refused.code(), "invalid_signature", "an unlinked wallet opens no account");
    let mainnet = BitcoinWallet::new(AddressKind::P2tr, Network::Mainnet, "ada").address();
    assert_eq!(first.post(CHALLENGE, &json!({"address": mainnet})).await.expect(400).code(), "invalid_input");

    let listed = last.get_as(&held.access, WALLETS).await.expect(200);
    assert_eq!(listed.json.as_array().unwrap().len(), 4);
    let id = text(&listed.json[0]["id"]);
    let unlink = first.request(reqwest::Method::DELETE, &format!("{WALLETS}/{id}")).bearer_auth(&held.access);
    let _ = first.send(unlink).await.expect(200);
    let gone = BitcoinWallet::new(AddressKind::P2pkh, Network::Regtest, &name);
    let refused = last.post(VERIFY, &answer(last, &gone, 0).await).await.expect(401);
    assert_eq!(refused.code(), "invalid_signature");
}

fn settings() -> Vec<(&'static str, &'static str)> {
    [&UNLIMITED[..], &[("WALLET_NETWORK", "regtest"), ("MAX_SESSIONS", "100")]].concat()
}

#[tokio::test]
async fn wallets_sign_in_on_the_embedded_store() {
    let node = Node::dev_with(&["--feed", "simulated"], &settings()).await;
    wallets_sign_in(&[Api::at(node.url(""))]).await;
}

#[tokio::test]
async fn wallets_sign_in_on_two_nodes() {
    let (stub, database, redis) = (StubUpstream::start().await, fresh_database().await, shared_redis().await);
    let cluster = Serve { database: &database.url, redis: &redis.url(), prefix: &redis.fresh_prefix() };
    let nodes = cluster.start_with(2, &stub, &settings()).await;
    let apis: Vec<Api> = nodes.iter().map(|node| Api::at(node.url(""))).collect();
    wallets_sign_in(&apis).await;
}
