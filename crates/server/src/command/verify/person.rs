//! Who signs in for the checks: a new account with a random name, or one that was given. Nothing here can print itself.

use std::{fs, io};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Visit,
    client::{Answer, Ask, Trouble},
    options::VerifyOptions,
    report::Report,
};

const SIGN_UP: &str = "/api/v2/auth/signup";
const SIGN_IN: &str = "/api/v2/auth/login";
const ACCOUNT: &str = "account";

/// Why nobody is signed in.
#[derive(Debug, Clone)]
pub(super) struct Nobody {
    pub(super) why: String,
    /// Whether that is wrong by itself: not where it was asked for, nor where the cause is told already.
    pub(super) is_fault: bool,
}

impl AsRef<str> for Nobody {
    fn as_ref(&self) -> &str {
        &self.why
    }
}

fn fault(why: impl Into<String>) -> Nobody {
    Nobody { why: why.into(), is_fault: true }
}

/// An account and one of its sessions.
pub(super) struct Person {
    /// What the sign-up or sign-in was answered.
    pub(super) answer: Value,
    pub(super) access: String,
    pub(super) refresh: String,
}

/// Who there is to sign in.
pub(super) struct People {
    email: String,
    password: SecretString,
    /// Whether the account is ours to make.
    ours: bool,
    nobody: Option<Nobody>,
    signed_in: bool,
    /// The session that most checks use.
    first: Option<Person>,
    /// Addresses of accounts that were made.
    made: Vec<String>,
    /// Refresh tokens of sessions that may still be open.
    open: Vec<String>,
    /// What was left in the window of credentials after each of our requests.
    pub(super) credentials_left: Vec<(Option<u64>, Option<u64>)>,
}

impl People {
    pub(super) fn of(options: &VerifyOptions, report: &mut Report) -> Result<Self, io::Error> {
        let (email, password, ours) = match (&options.account, &options.password_file) {
            (Some(email), Some(file)) => {
                let text = fs::read_to_string(file)?;
                (email.as_str().to_owned(), text.trim_end_matches(['\r', '\n']).to_owned(), false)
            }
            _ => (new_address(), new_password(), true),
        };
        report.hide(&password);
        let nobody = options.read_only.then(|| Nobody { why: "--read-only signs nobody in".to_owned(), is_fault: false });
        Ok(Self {
            email,
            password: password.into(),
            ours,
            nobody,
            signed_in: false,
            first: None,
            made: Vec::new(),
            open: Vec::new(),
            credentials_left: Vec::new(),
        })
    }
}

fn new_address() -> String {
    format!("verify-{}@coinlink-verify.invalid", Uuid::now_v7().simple())
}

fn new_password() -> String {
    let mut bytes = [0_u8; 20];
    // Without randomness of the system the sign-up is refused as too weak, and that is told.
    let _ = getrandom::fill(&mut bytes);
    format!("Vf-{}-9Z", URL_SAFE_NO_PAD.encode(bytes))
}

impl Visit<'_> {
    /// The session of the checks, opened when it is first needed; else why there is none.
    pub(super) async fn person(&mut self) -> Result<&Person, Nobody> {
        if !self.people.signed_in {
            self.people.signed_in = true;
            if self.people.nobody.is_none() {
                match self.open_session(&json!({})).await {
                    Ok(answer) => self.people.first = Some(self.held(&answer)),
                    Err(why) => self.people.nobody = Some(why),
                }
            }
        }
        self.people.first.as_ref().ok_or_else(|| self.people.nobody.clone().unwrap_or_else(|| fault("nobody is signed in")))
    }

    /// The access token of that session.
    pub(super) async fn access(&mut self) -> Result<String, Nobody> {
        self.person().await.map(|person| person.access.clone())
    }

    /// Another session: by signing in, or where an account cannot yet do that (its address is not verified) with a further account.
    pub(super) async fn open_session(&mut self, more: &Value) -> Result<Answer, Nobody> {
        let has_account = !self.people.ours || !self.people.made.is_empty();
        if has_account {
            let answer = self.with_credentials(SIGN_IN, more).await?;
            if answer.json["mfa_required"] == true {
                return Err(fault("the account has a second factor: use one without"));
            }
            if answer.status == 200 {
                return Ok(answer);
            }
            let unverified = answer.status == 401 || answer.code() == "email_not_verified";
            if !self.people.ours || !unverified {
                return Err(fault(format!("sign-in is answered {}", answer.told())));
            }
            let seen = format!("sign-in to a new account is answered {}", answer.told());
            self.report.warn(
                "sign-in",
                seen,
                "so it is where addresses are verified first; elsewhere it is a fault: --account shows it",
            );
            self.people.email = new_address();
        }
        let answer = self.with_credentials(SIGN_UP, more).await?;
        if answer.status != 201 && answer.status != 200 && answer.status != 202 {
            return Err(fault(format!("sign-up is answered {}", answer.told())));
        }
        self.people.made.push(self.people.email.clone());
        if answer.json["tokens"].is_object() {
            Ok(answer)
        } else {
            Err(fault(format!("sign-up is answered {} without a session", answer.status)))
        }
    }

    async fn with_credentials(&mut self, path: &str, more: &Value) -> Result<Answer, Nobody> {
        let mut body = json!({"email": self.people.email, "password": self.people.password.expose_secret()});
        let cookies = more["cookies"] == true;
        if cookies {
            body["cookies"] = true.into();
        }
        let ask = Ask::post(path, &body);
        let ask = if cookies { ask.with("origin", &self.options.known_origin()) } else { ask };
        let answer = match self.client.send(ask).await {
            Ok(answer) => answer,
            Err(Trouble::Limited(limited)) => {
                self.report.limited(&limited);
                return Err(Nobody { why: Trouble::Limited(limited).to_string(), is_fault: false });
            }
            Err(trouble) => return Err(fault(trouble.to_string())),
        };
        self.note_credentials(&answer);
        self.hide_tokens(&answer);
        Ok(answer)
    }

    /// A sign-in with another password than the account's.
    pub(super) async fn wrong_password(&mut self) -> Result<Answer, Trouble> {
        let body = json!({"email": self.people.email, "password": new_password()});
        let answer = self.client.send(Ask::post(SIGN_IN, &body)).await?;
        self.note_credentials(&answer);
        Ok(answer)
    }

    fn note_credentials(&mut self, answer: &Answer) {
        self.people.credentials_left.push((answer.number("x-ratelimit-limit"), answer.number("x-ratelimit-remaining")));
    }

    /// A session whose tokens came in a body; it is ended when the verification leaves.
    pub(super) fn held(&mut self, answer: &Answer) -> Person {
        let token =
            |name: &str| answer.json["tokens"][name].as_str().or(answer.json[name].as_str()).unwrap_or_default().to_owned();
        let person = Person { access: token("access_token"), refresh: token("refresh_token"), answer: answer.json.clone() };
        self.people.open.push(person.refresh.clone());
        person
    }

    /// Whatever in an answer may be a token is shown nowhere.
    pub(super) fn hide_tokens(&mut self, answer: &Answer) {
        for place in [&answer.json, &answer.json["tokens"]] {
            for name in ["access_token", "refresh_token", "csrf_token", "device_token", "mfa_ticket"] {
                if let Some(token) = place[name].as_str() {
                    self.report.hide(token);
                }
            }
        }
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = String::from_utf8_lossy(cookie.as_bytes());
            if let Some((_, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.report.hide(value);
            }
        }
    }
}

/// Ends the sessions that were opened. Accounts stay: no route deletes one.
pub(super) async fn leave(visit: &mut Visit<'_>) {
    let mut ended = 0;
    for token in std::mem::take(&mut visit.people.open) {
        let answer = visit.client.send(Ask::post("/api/v2/auth/logout", &json!({"refresh_token": token}))).await;
        // One that the checks ended is answered 401.
        ended += u32::from(answer.is_ok_and(|answer| answer.status == 200 || answer.status == 401));
    }
    if ended > 0 || !visit.people.made.is_empty() {
        let made = visit.people.made.join(", ");
        let stays = if made.is_empty() { String::new() } else { format!("; no route deletes accounts, so there stays {made}") };
        visit.report.begin(super::Area::Auth);
        visit.report.ok(ACCOUNT, format!("{ended} sessions ended{stays}"));
    }
}
