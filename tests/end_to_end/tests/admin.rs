//! `coinlink admin` beside a running server.

use std::{path::Path, time::Duration};

use coinlink_end_to_end_tests::{Api, Node, eventually, somebody};
use coinlink_testkit::servers::{Launch, built_binary};

async fn coinlink(arguments: &[&str], data: &Path) -> (i32, String) {
    let mut run = Launch::new(built_binary("coinlink")).args(arguments).env("DATA_DIR", data).start();
    let code = run.wait().await.code().unwrap_or(-1);
    (code, run.log())
}

#[tokio::test]
async fn a_role_is_granted_and_revoked_at_once_and_the_last_administrator_stays() {
    let node = Node::dev_with(&["--feed", "simulated"], &[]).await;
    let api = Api::at(node.url(""));
    let (ada, eve) = (somebody(), somebody());
    let (held, _) = (api.sign_up(&ada).await, api.sign_up(&eve).await);
    let data = node.process.directory().join("data");
    let role = async || api.get_as(&held.access, "/api/v2/user/profile").await.expect(200).json["role"].clone();
    assert_eq!(role().await, "user");

    let (code, said) = coinlink(&["admin", "grant", &ada.to_uppercase()], &data).await;
    assert_eq!((code, said.trim()), (0, format!("{ada} is an administrator now.").as_str()));
    assert_eq!(role().await, "admin");
    assert_eq!(coinlink(&["admin", "grant", &ada], &data).await.1.trim(), format!("{ada} is an administrator already."));

    let (code, said) = coinlink(&["admin", "revoke", &ada], &data).await;
    assert!(code == 1 && said.contains("the last administrator"), "{code} {said}");
    assert_eq!(coinlink(&["admin", "grant", &eve], &data).await.0, 0);
    assert_eq!(coinlink(&["admin", "revoke", &ada], &data).await.0, 0);
    let over = async || api.get_as(&held.access, "/api/v2/user/profile").await.code() == "session_revoked";
    eventually("the sessions of the role are over", Duration::from_secs(5), over).await;
    assert_eq!(api.get_as(&api.sign_in(&ada).await.access, "/api/v2/user/profile").await.expect(200).json["role"], "user");

    for (address, why) in [("nobody@example.org", "no account with this address"), ("nonsense", "name@example.com")] {
        let (code, said) = coinlink(&["admin", "grant", address], &data).await;
        assert!(code != 0 && said.contains(why), "{code} {said}");
    }
    let (code, said) = coinlink(&["audit", "verify"], &data).await;
    assert!(code == 0 && said.contains("is sound"), "{code} {said}");
    let (code, said) = coinlink(&["admin", "grant", &ada], Path::new("/nowhere")).await;
    assert!(code == 1 && said.contains("there is no database at /nowhere"), "{code} {said}");
}
