//! docs/errors.md is made from the table of codes.

use coinlink::http::error_codes;

#[test]
fn the_document_of_error_codes_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let expected = error_codes::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, expected, "run `UPDATE_DOCS=1 cargo test -p coinlink --test it http_errors`");
}
