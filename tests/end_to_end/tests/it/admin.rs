//! `coinlink admin` beside a running server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, time::Duration};

use coinlink_end_to_end_tests::{Api, Held, Node, PASSWORD, eventually, somebody};
use coinlink_testkit::servers::{Launch, built_binary};
use serde_json::json;
use totp_rs::Totp;

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
    let more = format!(
        "It is account {}. It has no second factor yet, and /api/v2/admin answers only once one is set up and shown.\n\
         Warning: the address is not verified. Anybody may have registered this account: make sure whose it is.",
        held.user
    );
    assert_eq!((code, said.trim()), (0, format!("{ada} is an administrator now.\n{more}").as_str()));
    assert_eq!(role().await, "admin");
    let (code, said) = coinlink(&["admin", "grant", &ada], &data).await;
    assert_eq!((code, said.trim()), (0, format!("{ada} is an administrator already.\n{more}").as_str()));

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

/// Letters of this template to this address that were delivered.
fn delivered(data: &Path, to: &str, template: &str) -> Vec<String> {
    let Ok(files) = fs::read_dir(data.join("mail")) else { return Vec::new() };
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|kind| kind == "eml"));
    let named = paths.filter(|path| path.to_string_lossy().contains(&format!("-{template}-")));
    // Undoes what quoted-printable does to a line.
    let texts = named.map(|path| fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "="));
    texts.filter(|text| text.contains(&format!("To: {to}"))).collect()
}

async fn set_up_factor(api: &Api, held: &Held) {
    let given = api.post_as(&held.access, "/api/v2/auth/2fa/setup", &json!({"password": PASSWORD})).await.expect(200);
    let app = Totp::from_url(given.json["otpauth_uri"].as_str().unwrap()).unwrap();
    let code = app.generate_current().to_string();
    let _ = api.post_as(&held.access, "/api/v2/auth/2fa/confirm", &json!({"code": code})).await.expect(200);
}

#[tokio::test]
async fn who_lost_the_second_factor_gets_in_without_it_after_a_reset_and_is_told() {
    let node = Node::dev_with(&["--feed", "simulated"], &[]).await;
    let api = Api::at(node.url(""));
    let data = node.process.directory().join("data");
    let ada = somebody();
    let held = api.sign_up(&ada).await;
    let reset = ["admin", "reset-second-factor", ada.as_str()];
    let (code, said) = coinlink(&reset, &data).await;
    assert_eq!((code, said.trim()), (0, format!("{ada} has no second factor.").as_str()));
    set_up_factor(&api, &held).await;
    assert!(coinlink(&["admin", "grant", &ada], &data).await.1.contains("Its second factor is set up"));
    let sign_in = json!({"email": ada, "password": PASSWORD});
    let asked = api.post("/api/v2/auth/login", &sign_in).await.expect(200);
    let ticket = asked.json["mfa_ticket"].as_str().unwrap();

    let (code, said) = coinlink(&reset, &data).await;
    let done = format!("The second factor of {ada} (account {}) is removed; 1 session ended.", held.user);
    assert_eq!((code, said.trim()), (0, done.as_str()));
    let over = async || api.get_as(&held.access, "/api/v2/user/profile").await.code() == "session_revoked";
    eventually("the sessions are over", Duration::from_secs(5), over).await;
    let tried = api.post("/api/v2/auth/2fa/verify", &json!({"mfa_ticket": ticket, "code": "123456"})).await;
    assert_eq!((tried.status, tried.code()), (401, "invalid_mfa_ticket"));
    let again = api.sign_in(&ada).await;
    let state = api.get_as(&again.access, "/api/v2/auth/2fa").await.expect(200);
    assert!(state.json.to_string().contains("false"), "{}", state.json);
    // The server reads what the command sealed.
    let told = async || delivered(&data, &ada, "second_factor_disabled").len() == 1;
    eventually("the owner is told", Duration::from_secs(20), told).await;

    let (code, said) = coinlink(&["admin", "reset-second-factor", "nobody@example.org"], &data).await;
    assert!(code == 1 && said.contains("no account with this address"), "{code} {said}");
    let (code, said) = coinlink(&["audit", "verify"], &data).await;
    assert!(code == 0 && said.contains("is sound"), "{code} {said}");
}

#[tokio::test]
async fn on_a_port_that_the_system_chose_links_in_mail_lead_to_it() {
    let launch = Launch::new(built_binary("coinlink")).args(["dev", "--feed", "simulated"]).env("PORT", "0");
    let node = launch.start();
    let port = || {
        let log = node.log();
        let (_, rest) = log.split_once("listening address=127.0.0.1:")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (rest.len() > digits.len()).then_some(digits)
    };
    eventually("it listens", Duration::from_secs(30), async || port().is_some()).await;
    let port = port().unwrap();
    let ada = somebody();
    Api::at(format!("http://127.0.0.1:{port}")).sign_up(&ada).await;
    let data = node.directory().join("data");
    let letter = async || delivered(&data, &ada, "verify_email").len() == 1;
    eventually("the letter", Duration::from_secs(20), letter).await;
    let text = delivered(&data, &ada, "verify_email").remove(0);
    assert!(text.contains(&format!("http://localhost:{port}/account/verify")), "{text}");
}
