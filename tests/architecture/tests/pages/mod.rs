//! The server's own pages and their scripts, by their text: they are small and plain, and this keeps them so.

use std::{
    fs,
    path::{Path, PathBuf},
};

use coinlink_architecture_tests::{read, root};

/// Every page and script that is built into the server.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join("crates/server/src"), &mut found);
    found.sort();
    assert!(found.len() > 2, "{found:?}");
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "html" || extension == "js") {
            found.push(path);
        }
    }
}

/// The letters that are sent as HTML too.
fn letters() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("crates/adapters/mail/templates")).expect("the templates are there");
    let letters: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    letters.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "html")).collect()
}

/// The scripts of a file: all of it, or what stands in its script elements.
fn scripts(path: &Path) -> String {
    let text = read(path);
    if path.extension().is_some_and(|extension| extension == "js") {
        return text;
    }
    let parts =
        text.split("<script").skip(1).filter_map(|part| Some(part.split_once('>')?.1.split_once("</script>")?.0.to_owned()));
    parts.collect()
}

/// Each element of a name, as it is written.
fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.split(&format!("<{name} ")).skip(1).filter_map(|rest| rest.split_once('>').map(|(element, _)| element)).collect()
}

/// Which of these words the files hold, each with its file.
fn holding(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let text = read(file).to_ascii_lowercase();
        for word in words.iter().filter(|word| text.contains(&word.to_ascii_lowercase())) {
            found.push(format!("{}: {word}", file.display()));
        }
    }
    found
}

#[test]
fn scripts_of_our_pages_write_text_and_never_html() {
    let ways = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "setHTML",
        "srcdoc",
        "eval(",
        "new Function",
        "setTimeout(\"",
        "setInterval(\"",
    ];
    assert_eq!(holding(&pages(), &ways), Vec::<String>::new());
    for page in pages().iter().filter(|page| scripts(page).contains("document.")) {
        assert!(read(page).contains(".textContent ="), "{}", page.display());
    }
}

#[test]
fn pages_and_letters_use_nothing_that_browsers_gave_up() {
    let gone = [
        "<object",
        "<embed",
        "<applet",
        "<param",
        "<frame",
        "<marquee",
        "<keygen",
        "<font",
        "<center",
        "javascript:",
        "vbscript:",
        "ActiveX",
        "Silverlight",
        "Flash",
        "navigator.plugins",
        "document.all",
        "attachEvent",
        "showModalDialog",
        "applicationCache",
        "openDatabase",
        "document.domain",
        "unload",
        "behavior:",
        "expression(",
    ];
    let files: Vec<_> = pages().into_iter().chain(letters()).collect();
    assert_eq!(holding(&files, &gone), Vec::<String>::new());
    for page in pages().iter().filter(|page| page.extension().is_some_and(|extension| extension == "html")) {
        assert!(read(page).starts_with("<!doctype html>\n"), "{} would be shown as browsers of the nineties did", page.display());
    }
    for script in pages().iter().map(|page| scripts(page)).filter(|script| !script.is_empty()) {
        assert!(script.trim_start().starts_with("\"use strict\";"), "{script:.40}");
    }
}

#[test]
fn password_fields_mask_what_is_typed_and_say_which_password_they_take() {
    let (mut fields, all) = (0, pages());
    for page in &all {
        for field in elements(&read(page), "input").into_iter().filter(|field| field.to_ascii_lowercase().contains("password")) {
            assert!(field.contains("type=\"password\""), "{}: {field}", page.display());
            let says = ["autocomplete=\"new-password\"", "autocomplete=\"current-password\""];
            assert!(says.iter().any(|one| field.contains(one)), "{}: {field}", page.display());
            fields += 1;
        }
    }
    assert!(fields > 0, "no password field was found");
    // The other way round: what takes a password is called so, and no script makes a text of it or makes it up.
    let masked: usize = all.iter().map(|page| read(page).matches("type=\"password\"").count()).sum();
    assert_eq!(masked, fields);
    assert_eq!(holding(&all, &[".type = ", "setAttribute(", "createElement(\"input"]), Vec::<String>::new());
}

#[test]
fn nothing_stands_between_a_password_manager_and_its_field() {
    let ways =
        ["paste", "autocomplete=\"off\"", "readonly", "beforeinput", "keydown", "keyup", "keypress", "contextmenu", "clipboard"];
    assert_eq!(holding(&pages(), &ways), Vec::<String>::new());
    for page in pages() {
        let text = read(&page);
        let heard: Vec<_> = text.split("addEventListener(").skip(1).filter_map(|call| call.split(',').next()).collect();
        assert!(heard.iter().all(|event| *event == "\"submit\""), "{}: {heard:?}", page.display());
        for field in elements(&text, "input").into_iter().filter(|field| field.contains("type=\"password\"")) {
            // As long as the longest password, so that none is cut as it is put in.
            assert!(field.contains("maxlength=\"512\"") || !field.contains("maxlength"), "{field}");
        }
    }
}

#[test]
fn no_page_takes_messages_of_other_windows() {
    assert_eq!(holding(&pages(), &["postMessage", "BroadcastChannel", "window.opener", "\"message\""]), Vec::<String>::new());
    for page in pages() {
        let script = scripts(&page);
        // Of a socket, and of nothing else.
        let heard = script.matches("onmessage").count();
        assert_eq!(heard, script.matches("socket.onmessage").count(), "{}", page.display());
    }
}

/// What stands in brackets after a value, where it is no constant: a key that something else decides.
fn computed_keys(script: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in script.match_indices('[') {
        let before = script[..at].chars().next_back();
        let key = script[at + 1..].split(']').next().unwrap_or_default();
        let constant = key.starts_with(['"', '\\']) || key.parse::<u32>().is_ok();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ')' | ']')) && !constant {
            found.push(key);
        }
    }
    found
}

#[test]
fn no_script_reads_or_writes_a_key_that_somebody_else_chose() {
    for page in pages() {
        let script = scripts(&page);
        let keys: Vec<_> = computed_keys(&script).into_iter().filter(|key| *key != "index").collect();
        assert_eq!(keys, Vec::<&str>::new(), "{}: a Map has no prototype to be reached", page.display());
    }
    let ways =
        ["__proto__", ".prototype", ".constructor", "Object.assign", "Object.fromEntries", "Object.defineProperty", "Reflect."];
    assert_eq!(holding(&pages(), &ways), Vec::<String>::new());
}

#[test]
fn a_key_that_is_no_constant_is_found() {
    assert_eq!(computed_keys("a[b] = c; list[0]; it[\"x\"]; f()[name]; const { [RESET]: x } = y; /[\\d.]/"), ["b", "name"]);
}

#[test]
fn scripts_compare_without_making_one_type_of_another() {
    for page in pages() {
        let strict = scripts(&page).replace("===", "").replace("!==", "");
        for loose in ["==", "!="] {
            assert!(!strict.contains(loose), "{loose} in {}", page.display());
        }
    }
}
