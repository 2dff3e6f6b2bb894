"use strict";

const KINDS = {
  "/account/verify": { api: "/api/v2/auth/email/verify", title: "Confirm your e-mail address", button: "Confirm" },
  "/account/reset": { api: "/api/v2/auth/password/reset", title: "Set a new password", button: "Set the password" },
  "/account/change": { api: "/api/v2/auth/email/change/confirm", title: "Confirm your new e-mail address", button: "Confirm" },
  "/account/undo": { api: "/api/v2/auth/email/change/undo", title: "Undo the change of your e-mail address", button: "Undo it" },
};
const FORGOT = { api: "/api/v2/auth/password/forgot", title: "Forgot your password?", button: "Send me a link" };

const at = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token");
const kind = token === null && location.pathname === "/account/reset" ? FORGOT : KINDS[location.pathname];

// The secret is in this page's memory now; the address bar and the history need not show it.
history.replaceState(null, "", location.pathname);

function show(id, shown) {
  at(id).hidden = !shown;
}

function say(status, problem) {
  at("status").textContent = status;
  at("problem").textContent = problem || "";
  show("problem", Boolean(problem));
}

async function send(method, url, body, csrf) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const response = await fetch(url, {
    method, headers, body: body && JSON.stringify(body), credentials: "same-origin", cache: "no-store", referrerPolicy: "no-referrer",
  });
  let answer = {};
  try { answer = await response.json(); } catch { /* said below */ }
  return { ok: response.ok, answer, code: answer.error && answer.error.code };
}

// Somebody who is signed in here with cookies has to show that this page is ours.
async function post(url, body) {
  const sent = await send("POST", url, body);
  if (sent.code !== "csrf_failed") return sent;
  const csrf = await send("GET", "/api/v2/auth/csrf");
  return csrf.ok ? send("POST", url, body, csrf.answer.csrf_token) : sent;
}

function why(sent) {
  const details = sent.answer.error && sent.answer.error.details;
  const reasons = details ? Object.values(details).filter((text) => typeof text === "string") : [];
  return [sent.answer.detail || "Something went wrong. Please try again.", ...reasons].join(" ");
}

function fields() {
  const body = {};
  if (kind === FORGOT) body.email = at("email").value;
  else body.token = token;
  if (!at("code-field").hidden) body.code = at("code").value;
  if (!at("password-field").hidden) body.password = at("password").value;
  return body;
}

async function submit(event) {
  event.preventDefault();
  at("send").disabled = true;
  try {
    const sent = await post(kind.api, fields());
    if (sent.ok) {
      show("form", false);
      say(sent.answer.message);
      return;
    }
    if (sent.code === "code_required") {
      show("code-field", true);
      if (kind === KINDS["/account/verify"]) show("password-field", true);
    }
    say("", why(sent));
    if (sent.code === "invalid_link") show("form", false);
  } catch {
    say("", "The server cannot be reached. Please try again.");
  } finally {
    at("send").disabled = false;
  }
}

async function begin() {
  if (!kind) return say("", "There is nothing here.");
  document.title = at("title").textContent = kind.title;
  at("send").textContent = kind.button;
  at("form").addEventListener("submit", submit);
  if (kind === FORGOT) {
    say("Tell us your address. Where it has an account, a letter with a link is on its way to it.");
    show("email-field", true);
    return show("form", true);
  }
  try {
    const sent = await send("GET", `${kind.api}?token=${encodeURIComponent(token || "")}`);
    if (!sent.ok) return say("", why(sent));
    if (!sent.answer.valid) return say("", sent.answer.message);
    say(`The letter went to ${sent.answer.email}.`);
    show("code-field", sent.answer.code_needed);
    show("password-field", kind === KINDS["/account/reset"] || (kind === KINDS["/account/verify"] && sent.answer.code_needed));
    show("form", true);
  } catch {
    say("", "The server cannot be reached. Please open the link again.");
  }
}

begin();
