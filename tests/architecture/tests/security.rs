//! What holds for security and can be seen in the sources: no SQL is put together of values, and every test that the audit names is there.

mod built_sql;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use built_sql::built_sql;
use coinlink_architecture_tests::{read, root, rust_files};
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
    ("crates/adapters/postgres/src/migration_lock.rs", "locked_connection", "a number of milliseconds and one that is constant"),
    ("crates/adapters/postgres/src/pool.rs", "postgres", "a number of milliseconds of the settings"),
    (PRICE_CANDLES, "up", "tables whose names are constants, made by functions of the same crate"),
    (PRICE_CANDLES, "down", "names that are constants"),
    (TEST_DATABASES, "migrate_template", "names of databases that tests made up"),
    (TEST_DATABASES, "tamper", "what a test does to its own database"),
    (TEST_DATABASES, "count", "a table's name that a test wrote"),
];
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

/// Names in backticks that read like a test's: a sentence of at least four words.
fn tests_named_in(page: &str) -> BTreeSet<&str> {
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_word = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    quoted.filter(|name| name.matches('_').count() >= 3).filter(is_word).collect()
}

fn missing<'a>(named: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let folders = ["crates", "migration", "tests"].map(|folder| root().join(folder));
    let sources: Vec<String> = folders.iter().flat_map(|folder| rust_files(folder)).map(|file| read(&file)).collect();
    let is_there = |name: &str| sources.iter().any(|source| source.contains(&format!("fn {name}(")));
    named.into_iter().filter(|name| !is_there(name)).collect()
}

#[test]
fn every_test_that_the_audit_names_is_there() {
    let text = read(&root().join("docs/SECURITY_AUDIT.md"));
    let named = tests_named_in(&text);
    assert!(named.len() > 60, "it names only {named:?}");
    assert_eq!(missing(named), Vec::<&str>::new());
}

#[test]
fn every_parser_has_the_tests_that_the_page_of_fuzzing_says() {
    let page = read(&root().join("docs/fuzzing.md"));
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains(".rs`")) {
        let quoted: Vec<&str> =
            row.split('`').skip(1).step_by(2).skip_while(|text| Path::new(text).extension() != Some("rs".as_ref())).collect();
        let (file, tests) = quoted.split_first().expect("a row names its file");
        let source = read(&root().join(file));
        assert!(!tests.is_empty(), "{row}");
        let missing: Vec<_> = tests.iter().filter(|name| !source.contains(&format!("fn {name}("))).collect();
        assert_eq!(missing, Vec::<&&str>::new(), "{file}");
        rows += 1;
    }
    assert!(rows > 60, "{rows} parsers");
}

/// How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has, counted in its own list.
const ASVS: [(&str, usize); 17] = [
    ("V1", 27),
    ("V2", 11),
    ("V3", 19),
    ("V4", 10),
    ("V5", 9),
    ("V6", 35),
    ("V7", 18),
    ("V8", 7),
    ("V9", 7),
    ("V10", 29),
    ("V11", 14),
    ("V12", 9),
    ("V13", 13),
    ("V14", 9),
    ("V15", 13),
    ("V16", 16),
    ("V17", 7),
];

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
        assert!(row.get("level").and_then(Value::as_integer).is_some_and(|level| level == 1 || level == 2), "{id} has no level");
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
    for (chapter, count) in ASVS {
        let of = trace.keys().filter(|id| id.split('.').next() == Some(&chapter[1..])).count();
        assert_eq!(of, count, "{chapter}");
    }
    let named: BTreeSet<&str> = trace.values().flat_map(|(_, tests)| tests).map(String::as_str).collect();
    assert_eq!(missing(named), Vec::<&str>::new());
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
