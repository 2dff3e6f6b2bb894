"use strict";

const RESET = "/account/reset";
const KINDS = new Map([
  ["/account/verify", {
    api: "/api/v2/auth/email/verify", title: "Confirm your e-mail address", button: "Confirm", takesOver: true, next: "Go to CoinLink",
    note: "You opened this link in another browser than the one that signed up, so choose a new password; the old one stops working.",
    hint: "Eight digits, below the link.",
  }],
  [RESET, { api: "/api/v2/auth/password/reset", title: "Set a new password", button: "Set the password", password: true, next: "Go to CoinLink" }],
  ["/account/change", {
    api: "/api/v2/auth/email/change/confirm", title: "Confirm your new e-mail address", button: "Confirm", next: "Go to CoinLink",
  }],
  ["/account/undo", {
    api: "/api/v2/auth/email/change/undo", title: "Undo the change of your e-mail address", button: "Undo it",
    hint: "Eight digits, below the link. They show that a person undoes the change, and not a program that opens links.",
  }],
]);
const FORGOT = {
  api: "/api/v2/auth/password/forgot", look: "/api/v2/auth/password/reset", title: "Forgot your password?", button: "Send me a link",
  done: "Where that address has an account, a letter with a link is on its way to it. Open the link in this browser.",
};
const NAMES = new Map([["code", "Code"], ["email", "E-mail address"], ["password", "Password"]]);

const at = (id) => document.getElementById(id);
const token = remembered();
const kind = token === null && location.pathname === RESET ? FORGOT : KINDS.get(location.pathname);
let csrf = false;

// The address bar and the history need not show the secret; this tab keeps it until it is used, so that the page can be loaded again.
function remembered() {
  const shown = new URLSearchParams(location.search).get("token");
  history.replaceState(null, "", location.pathname);
  try {
    if (shown !== null) sessionStorage.setItem(location.pathname, shown);
    return sessionStorage.getItem(location.pathname);
  } catch {
    return shown;
  }
}

function forget() {
  try { sessionStorage.removeItem(location.pathname); } catch { /* nothing was kept */ }
}

function show(id, shown) {
  at(id).hidden = !shown;
}

function say(status, problem, details) {
  at("status").textContent = status;
  at("what").textContent = problem || "";
  at("details").replaceChildren(...(details || []).map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  show("details", Boolean(details && details.length));
  show("what", Boolean(problem));
  show("problem", Boolean(problem || (details && details.length)));
}

function lead(text, where) {
  at("next-link").textContent = text;
  at("next-link").href = where;
  show("next", true);
}

async function send(method, url, body, proof) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (proof) headers["X-CSRF-Token"] = proof;
  const response = await fetch(url, {
    method, headers, body: body && JSON.stringify(body), credentials: "same-origin", cache: "no-store", referrerPolicy: "no-referrer",
  });
  let answer = {};
  try { answer = await response.json(); } catch { /* said below */ }
  return { ok: response.ok, answer, code: answer.error && answer.error.code };
}

async function proof() {
  const told = await send("GET", "/api/v2/auth/csrf");
  return told.ok ? told.answer.csrf_token : undefined;
}

// Somebody who is signed in here with cookies has to show that this page is ours.
async function post(url, body) {
  const sent = await send("POST", url, body, csrf ? await proof() : undefined);
  if (sent.code !== "csrf_failed" || csrf) return sent;
  csrf = true;
  return post(url, body);
}

// What is wrong with what was typed, where that is told; else what went wrong.
function complain(sent) {
  const details = Object.entries((sent.answer.error && sent.answer.error.details) || {}).filter(([, text]) => typeof text === "string");
  if (details.length) return say("", "", details.map(([name, text]) => `${NAMES.get(name) || name}: ${text}`));
  return say("", sent.answer.detail || "Something went wrong. Please try again.");
}

function fields() {
  const body = {};
  if (kind === FORGOT) body.email = at("email").value;
  else body.token = token;
  if (!at("code-field").hidden) body.code = at("code").value;
  if (!at("password-field").hidden) body.password = at("password").value;
  return body;
}

function ask(needsCode) {
  show("code-field", needsCode);
  show("password-field", Boolean(kind.password || (kind.takesOver && needsCode)));
  at("note").textContent = kind.note || "";
  show("note", Boolean(kind.note && needsCode));
  if (kind.hint) at("code-hint").textContent = kind.hint;
}

function over(problem) {
  forget();
  show("form", false);
  show("note", false);
  say("", problem);
  if (kind === KINDS.get(RESET) || kind === KINDS.get("/account/undo")) lead("Ask for a link to set a new password", RESET);
}

async function submit(event) {
  event.preventDefault();
  at("send").disabled = true;
  try {
    const sent = await post(kind.api, fields());
    if (sent.ok) {
      forget();
      show("form", false);
      show("note", false);
      say(kind.done || sent.answer.message);
      if (kind.next) lead(kind.next, "/");
      return;
    }
    if (sent.code === "invalid_link") return over(sent.answer.detail);
    if (sent.code === "code_required") ask(true);
    complain(sent);
  } catch {
    say("", "The server cannot be reached. Please try again.");
  } finally {
    at("send").disabled = false;
  }
}

async function begin() {
  if (!kind) {
    say("", "There is no such page. Open the link in the letter again.");
    return lead("Go to CoinLink", "/");
  }
  document.title = at("title").textContent = kind.title;
  at("send").textContent = kind.button;
  at("form").addEventListener("submit", submit);
  if (token === null && kind !== FORGOT) return say("", "Open the link in the letter again.");
  try {
    const sent = await send("GET", `${kind.look || kind.api}?token=${encodeURIComponent(token || "")}`);
    csrf = sent.ok && sent.answer.csrf_needed;
    if (kind === FORGOT) {
      say("Tell us your address. Where it has an account, a letter with a link is on its way to it.");
      show("email-field", true);
      return show("form", true);
    }
    if (!sent.ok) return complain(sent);
    if (!sent.answer.valid) return over(sent.answer.message);
    if (sent.answer.usable_here === false) return say(sent.answer.message);
    say(`The letter went to ${sent.answer.email}.`);
    ask(sent.answer.code_needed);
    show("form", true);
  } catch {
    say("", "The server cannot be reached. Please load this page again.");
  }
}

begin();
