//! What holds for security and can be seen in the sources: no SQL is put together of values, and every test that the audit names is there.

mod built_sql;
mod cryptography;
mod deploy_checks;
mod for_tests;
mod inventories;
mod named_tests;
mod pages;
mod properties;
mod supply;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use built_sql::built_sql;
use coinlink_architecture_tests::{read, root, rust_files};
use named_tests::{Tests, named_in};
use toml::Value;

/// Functions whose statements hold more than constants: each with what that is.
const BUILT: &[(&str, &str, &str)] = &[
    (CANDLES, "read", "names of tables and an order, each of an enum"),
    (CANDLES, "read_all", "a table's name of an enum; places of parameters"),
    (CANDLES, "open_times", "a table's name of an enum"),
    (CANDLES, "newest", "a table's name of an enum"),
    (CANDLES, "write", "a table's name of an enum; places of parameters"),
    (CANDLES, "note_symbols", "places of parameters"),
    (CANDLES, "ensure_months", "an interval's name of an enum; places of parameters"),
    (CANDLES, "delete", "a table's name of an enum"),
    (
        "crates/adapters/postgres/src/market/candles.rs",
        "plan",
        "EXPLAIN before what `read` made; for its own tests and benchmarks",
    ),
    ("crates/adapters/postgres/src/identity/directory.rs", "begins_with", "a column's name of an enum; places of parameters"),
    (AUDIT_RETENTION, "hold", "a partition's name, made of the digits of a month; a time that is constant"),
    (AUDIT_RETENTION, "is_all_of", "a partition's name, made of the digits of a month; a number of rows"),
    (AUDIT_RETENTION, "drop_within", "a partition's name, made of the digits of a month; a time that is constant"),
    ("crates/adapters/postgres/src/migration_lock.rs", "locked_connection", "a number of milliseconds and one that is constant"),
    ("crates/adapters/postgres/src/pool.rs", "postgres", "a number of milliseconds of the settings"),
    (PRICE_CANDLES, "up", "tables whose names are constants, made by functions of the same crate"),
    (PRICE_CANDLES, "down", "names that are constants"),
    (TEST_DATABASES, "migrate_template", "names of databases that tests made up"),
    (TEST_DATABASES, "tamper", "what a test does to its own database"),
    (TEST_DATABASES, "count", "a table's name that a test wrote"),
];
const AUDIT_RETENTION: &str = "crates/adapters/postgres/src/operations/audit_retention.rs";
const CANDLES: &str = "crates/adapters/postgres/src/market/candle_sql.rs";
const PRICE_CANDLES: &str = "migration/src/m20261123_000100_create_price_candles.rs";
const TEST_DATABASES: &str = "crates/testkit/src/servers/database.rs";

fn sources() -> Vec<std::path::PathBuf> {
    let folders = ["crates", "migration", "tests"].map(|folder| root().join(folder));
    let all = folders.iter().flat_map(|folder| rust_files(folder));
    // Tests put rows into databases of their own, which end with them.
    let shipped = |file: &std::path::PathBuf| {
        let parts: Vec<_> = file.strip_prefix(root()).expect("it is below the root").components().collect();
        parts.iter().any(|part| part.as_os_str() == "src") && !file.ends_with("tests.rs")
    };
    all.filter(shipped).collect()
}

#[test]
fn no_statement_is_put_together_of_values() {
    let (mut found, mut needed) = (Vec::new(), Vec::new());
    for file in sources() {
        let name = file.strip_prefix(root()).expect("it is below the root").display().to_string();
        for built in built_sql(&read(&file)) {
            match BUILT.iter().position(|(path, function, _)| *path == name && *function == built.function) {
                Some(known) => needed.push(known),
                None => found.push(format!("{name}:{} in {}", built.line, built.function)),
            }
        }
    }
    assert_eq!(found, Vec::<String>::new(), "bind the values, or say in BUILT what the text is made of");
    let idle: Vec<_> = (0..BUILT.len()).filter(|known| !needed.contains(known)).map(|known| BUILT[known].1).collect();
    assert_eq!(idle, Vec::<&str>::new(), "these need no mention any more");
}

fn is_found(body: &str) -> bool {
    !built_sql(&format!("pub fn f(db: &Db, name: &str, names: &[String]) {{ {body} }}")).is_empty()
}

#[test]
fn every_way_of_putting_a_value_into_a_statement_is_found() {
    for body in [
        r#"Statement::from_string(backend, format!("SELECT * FROM users WHERE name = '{name}'"));"#,
        r#"Statement::from_string(backend, format!("SELECT {} FROM users", name));"#,
        r#"Statement::from_string(backend, "SELECT ".to_owned() + name);"#,
        r#"sea_orm::Statement::from_sql_and_values(backend, &format!("SELECT 1 LIMIT {n}", n = names.len()), []);"#,
        r#"let sql = format!("DELETE FROM t WHERE a = {name}"); db.execute_unprepared(&sql);"#,
        r#"let mut sql = String::from("SELECT 1"); sql.push_str(name); db.execute_unprepared(&sql);"#,
        r"let mut sql = String::new(); sql += name; db.execute_unprepared(&sql);",
        r#"let mut sql = String::new(); write!(sql, "a = '{name}'"); db.execute_unprepared(&sql);"#,
        r#"let mut sql = String::new(); let _ = write!(&mut sql, "a = {}", name); db.execute_unprepared(sql.as_str());"#,
        r#"let sql = names.join(","); db.execute_unprepared(&sql);"#,
        r#"let sql = ["a", name].concat(); db.execute_unprepared(&sql);"#,
        r#"let sql = if names.is_empty() { "SELECT 1" } else { name }; db.execute_unprepared(sql);"#,
        r#"let sql = match names { [] => "SELECT 1", [one, ..] => one }; db.execute_unprepared(sql);"#,
        r"for sql in names { db.execute_unprepared(sql); }",
        r"names.iter().for_each(|sql| { db.execute_unprepared(sql); });",
        r#"Expr::cust(name.to_owned() + " IS NULL");"#,
        r#"Expr::cust_with_values(format!("{name} = ?"), [1]);"#,
        r#"sqlx::query(&format!("SELECT {name}"));"#,
        r"sea_orm::sqlx::query_as::<_, Row>(&build(name));",
        r#"ConnectionTrait::execute_unprepared(&db, &format!("DROP TABLE {name}"));"#,
        r#"assert!(db.execute_unprepared(&format!("DROP TABLE {name}")).is_ok());"#,
        r"tokio::select! { done = db.execute_unprepared(&sql) => done };",
        r#"let made = Statement { sql: format!("SELECT {name}"), values: None, db_backend };"#,
        r#"let sql = "SELECT 1"; let sql = sql.replace("1", name); db.execute_unprepared(&sql);"#,
        r"Statement::from_string(backend, unknown());",
        r"Statement::from_string(backend, self.sql);",
    ] {
        assert!(is_found(body), "{body}");
    }
    let handed_on =
        "fn run(db: &Db, sql: &str) { db.execute_unprepared(sql); } fn f(name: &str) { run(db, &format!(\"DROP {name}\")); }";
    assert_eq!(built_sql(handed_on).iter().map(|found| found.function.as_str()).collect::<Vec<_>>(), ["f"], "who calls with it");
    let open = "pub fn run(db: &Db, sql: &str) { db.execute_unprepared(sql); }";
    assert_eq!(built_sql(open).len(), 1, "what others may call");
}

#[test]
fn statements_of_literals_and_constants_and_bound_values_are_not_found() {
    for body in [
        r#"Statement::from_string(backend, "SELECT 1");"#,
        r#"Statement::from_sql_and_values(backend, "SELECT * FROM users WHERE name = $1", [name.into()]);"#,
        r"Statement::from_sql_and_values(backend, SELECT, names.iter().map(Into::into));",
        r#"db.execute_unprepared(&format!("SELECT audit_log_ensure_partitions({AHEAD})"));"#,
        r#"db.execute_unprepared(&format!("{}{}", tables::SYMBOLS, TABLES));"#,
        r#"let sql = match backend { DbBackend::Sqlite => SQLITE, _ => "SELECT 2" }; db.execute_unprepared(sql);"#,
        r#"let sql = if names.is_empty() { "SELECT 1" } else { OTHER }; db.execute_unprepared(sql);"#,
        r#"for sql in ["SELECT 1", TWO] { db.execute_unprepared(sql); }"#,
        r#"let mut sql = String::from(ONE); sql.push_str(" AND "); sql += TWO; db.execute_unprepared(&sql);"#,
        r#"Expr::cust("count(*)"); db.execute_unprepared(concat!("SELECT ", "1"));"#,
        r#"let text = format!("hello {name}"); tell(&text);"#,
        r#"RawValue::from_string(format!("{name}"));"#,
    ] {
        assert!(!is_found(body), "{body}");
    }
    let handed_on = "fn run(db: &Db, sql: &str) { db.execute_unprepared(sql); } fn f() { run(db, \"SELECT 1\"); run(db, TWO); }";
    assert!(built_sql(handed_on).is_empty());
    let tests = "#[cfg(test)] mod tests { fn f(name: &str) { db.execute_unprepared(&format!(\"DROP {name}\")); } }";
    assert!(built_sql(tests).is_empty());
}

/// What is built into the program, by its path, and its text.
fn shipped_sources() -> Vec<(String, String)> {
    let of_tests = |name: &String| name.starts_with("tests/") || name.starts_with("crates/testkit/");
    let named = sources().into_iter().map(|file| file.strip_prefix(root()).expect("it is below the root").display().to_string());
    let shipped: Vec<_> = named.filter(|name| !of_tests(name)).map(|name| (name.clone(), read(&root().join(&name)))).collect();
    assert!(shipped.len() > 300, "only {} sources were found", shipped.len());
    shipped
}

/// All tests of the workspace.
fn tests() -> Tests {
    Tests::of(all_sources().map(|(_, source)| source))
}

/// Every source below the root: its path as documents write it, and its text.
fn all_sources() -> impl Iterator<Item = (String, String)> {
    let files = ["crates", "migration", "tests"].into_iter().flat_map(|folder| rust_files(&root().join(folder)));
    files.map(|file| (file.strip_prefix(root()).expect("it is below the root").display().to_string(), read(&file)))
}

#[test]
fn every_test_that_the_audit_names_is_there() {
    let text = read(&root().join("docs/SECURITY_AUDIT.md"));
    let named = named_in(&text);
    assert!(named.len() > 60, "it names only {named:?}");
    let of_deployment = deploy_checks::names();
    let named = named.into_iter().filter(|(name, _)| !of_deployment.contains(*name));
    assert_eq!(tests().wrong(named), Vec::<String>::new());
}

/// Each file of the page's table, and the tests that its row names.
fn rows_of_fuzzing(page: &str) -> BTreeMap<&str, Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains(".rs`")).map(|row| {
        let quoted = row.split('`').skip(1).step_by(2);
        let mut quoted = quoted.skip_while(|text| Path::new(text).extension() != Some("rs".as_ref()));
        (quoted.next().expect("a row names its file"), quoted.collect())
    });
    rows.collect()
}

#[test]
fn every_parser_has_the_tests_that_the_page_of_fuzzing_says() {
    let page = read(&root().join("docs/fuzzing.md"));
    let rows = rows_of_fuzzing(&page);
    for (file, named) in &rows {
        let tests = Tests::of([read(&root().join(file))]);
        assert!(!named.is_empty(), "{file}");
        assert_eq!(tests.wrong(named.iter().map(|name| (*name, false))), Vec::<String>::new(), "{file}");
    }
    assert!(rows.len() > 100, "{} parsers", rows.len());
}

#[test]
fn the_page_of_fuzzing_has_every_property_that_nothing_panics() {
    let page = read(&root().join("docs/fuzzing.md"));
    let rows = rows_of_fuzzing(&page);
    let mut left_out = Vec::new();
    for (file, source) in all_sources().filter(|(_, source)| source.contains("proptest!")) {
        let named = rows.get(file.as_str()).map(Vec::as_slice).unwrap_or_default();
        let missing = properties::of_no_panic(&source).into_iter().filter(|name| !named.contains(&name.as_str()));
        left_out.extend(missing.map(|name| format!("{file}: {name}")));
    }
    assert_eq!(left_out, Vec::<String>::new(), "docs/fuzzing.md is to name them");
}

#[test]
fn a_property_that_nothing_panics_is_found_by_its_name() {
    let source = "#[test] fn a_panic_is_told() {} proptest! { #![proptest_config(a)] #[test] fn no_text_panics(a in \".*\") {}
        #[test] fn it_is_short(a: u8) {} fn no_help_panics() {} }";
    assert_eq!(properties::of_no_panic(source), ["no_text_panics"]);
}

/// The requirements of ASVS 5.0.0 that are of level 1, by its own list.
const LEVEL_1: &str = "\
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 \
    3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 \
    6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 \
    10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1";
/// Those of level 2.
const LEVEL_2: &str = "\
    1.1.1 1.1.2 1.2.6 1.2.7 1.2.8 1.2.9 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11 1.4.1 1.4.2 1.4.3 1.5.2 \
    2.1.2 2.1.3 2.2.3 2.3.2 2.3.3 2.3.4 2.4.1 3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.5.4 3.5.5 3.7.1 3.7.2 4.1.2 \
    4.1.3 4.2.1 4.3.1 4.3.2 4.4.2 4.4.3 4.4.4 5.1.1 5.2.3 5.4.1 5.4.2 5.4.3 6.1.2 6.1.3 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 \
    6.3.4 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4 7.1.1 7.1.2 7.1.3 7.3.1 \
    7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.2 8.2.3 8.4.1 9.2.2 9.2.3 9.2.4 10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 \
    10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 \
    10.7.1 10.7.2 10.7.3 11.1.1 11.1.2 11.2.1 11.2.2 11.2.3 11.3.3 11.4.2 11.4.3 11.4.4 11.5.1 11.6.1 12.1.2 12.1.3 12.3.1 \
    12.3.2 12.3.3 12.3.4 13.1.1 13.2.1 13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.2 13.4.3 13.4.4 13.4.5 14.1.1 14.1.2 \
    14.2.2 14.2.3 14.2.4 14.3.2 14.3.3 15.1.2 15.1.3 15.2.2 15.2.3 15.3.2 15.3.3 15.3.4 15.3.5 15.3.6 15.3.7 16.1.1 16.2.1 \
    16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3 17.1.1 17.2.1 17.2.2 \
    17.2.3 17.2.4 17.3.1 17.3.2";

/// Each requirement of the trace: what it says of itself, and the tests that it names.
fn trace() -> BTreeMap<String, (String, Vec<String>)> {
    let trace: toml::Table = read(&root().join("tests/security/asvs.toml")).parse().expect("the trace is TOML");
    let mut requirements = BTreeMap::new();
    for (id, row) in trace["requirements"].as_table().expect("requirements") {
        let said = |name: &str| row.get(name).and_then(Value::as_str);
        let tests: Vec<String> = row
            .get("tests")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        assert!(said("asks").is_some_and(|asks| !asks.is_empty()), "{id} does not say what it asks");
        let level = if LEVEL_1.split(' ').any(|one| one == id) { 1 } else { 2 };
        assert_eq!(row.get("level").and_then(Value::as_integer), Some(level), "{id}");
        let states: Vec<&str> = ["not_tested", "not_applicable", "not_met"]
            .into_iter()
            .filter(|state| said(state).is_some_and(|why| !why.is_empty()))
            .collect();
        let state = match (tests.is_empty(), &states[..]) {
            (false, []) => "tested",
            (true, [state]) => state,
            _ => panic!("{id} is to be one of tested, not_tested, not_applicable and not_met"),
        };
        requirements.insert(id.clone(), (state.to_owned(), tests));
    }
    requirements
}

#[test]
fn the_trace_has_every_requirement_of_level_2_and_every_test_it_names_is_there() {
    let trace = trace();
    let listed: BTreeSet<&str> = LEVEL_1.split(' ').chain(LEVEL_2.split(' ')).collect();
    assert_eq!(trace.keys().map(String::as_str).collect::<BTreeSet<_>>(), listed);
    // Some are checks of what CoinLink is deployed with, which are no Rust.
    let of_deployment = deploy_checks::names();
    let named = trace.values().flat_map(|(_, tests)| tests).filter(|name| !of_deployment.contains(*name));
    assert_eq!(tests().wrong(named.map(|name| (name.as_str(), false))), Vec::<String>::new());
}

/// What the audit says of the trace, as it is.
#[test]
fn the_audit_counts_the_trace_as_it_is() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let trace = trace();
    for (state, _) in trace.values() {
        *counts.entry(state).or_default() += 1;
    }
    let count = |state: &str| counts.get(state).copied().unwrap_or(0);
    let expected = format!(
        "{} requirements of levels 1 and 2: {} tested, {} not tested, {} not met, {} not applicable.",
        trace.len(),
        count("tested"),
        count("not_tested"),
        count("not_met"),
        count("not_applicable")
    );
    let page = read(&root().join("docs/SECURITY_AUDIT.md"));
    assert!(page.contains(&expected), "docs/SECURITY_AUDIT.md is to say: {expected}");
}
