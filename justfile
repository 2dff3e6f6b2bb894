set shell := ["bash", "-euo", "pipefail", "-c"]

# List the recipes.
_default:
    @just --list --unsorted

# Start CoinLink on the embedded store (`just run --feed simulated` works without a network).
run *args:
    cargo run --release -- dev {{ args }}

# Run the tests of one crate (`just test domain`), or of all of them.
test crate="" *args:
    cargo test {{ if crate == "" { "--workspace" } else if crate == "coinlink" { "-p coinlink" } else { "-p coinlink-" + crate } }} {{ args }}

# Check the layers, the contexts and the tidiness of the tree.
architecture:
    cargo test -p coinlink-architecture-tests

# Run clippy as continuous integration does.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Format everything.
fmt:
    cargo fmt --all

# Run everything that continuous integration runs, the quickest to fail first; installs what is missing.
ci:
    bash tests/run

# Ask npm's bip322-js anew what it says of the signatures of the wallet tests, and compare (`just wallets keep` keeps what it says).
wallets keep="":
    cd tests/wallets && npm ci --ignore-scripts --no-audit --no-fund
    node tests/wallets/make.mjs {{ if keep == "keep" { ">" } else { "| cmp -" } }} crates/adapters/wallets/tests/fixtures/bip322_js_verdicts.jsonl
    cargo test -p coinlink-wallets --test differential

# Hold the built server against its OpenAPI document for longer than `tests/run` does (`just schema 500`).
schema examples="100":
    cargo build -p coinlink
    bash tests/schema/run --examples {{ examples }} --within 3600

# Let the existing front end's socket class run against a node for ten minutes (docs/socket-protocol.md).
replay:
    cargo build -p coinlink
    cargo test -p coinlink-end-to-end-tests replay -- --ignored --nocapture

# Make faults happen to the built server, all of them or one (`just chaos disk_full`), and write what was measured into docs/runbooks/chaos-results.md.
chaos fault="":
    command -v faketime >/dev/null || { echo 'faketime is missing: bash tests/install installs it on Debian' >&2; exit 1; }
    cargo build -p coinlink
    CHAOS_RESULTS=docs/runbooks/chaos-results.md cargo test -p coinlink-end-to-end-tests --test it -- {{ if fault == "" { "chaos_fault::" } else { fault } }} --skip the_page_of_results --include-ignored --nocapture --test-threads 1

# Kill the API's process and the database under writes, again and again, and look for what was acknowledged (docs/backups.md).
kills process="100" database="20":
    cargo build -p coinlink
    KILLS_API={{ process }} KILLS_DATABASE={{ database }} cargo test -p coinlink-end-to-end-tests --test it chaos_fault::kills:: -- --nocapture --test-threads 1

# Rehearse the restores, and say how long they take (docs/backups.md).
rehearse:
    cargo build -p coinlink
    cargo test -p coinlink-end-to-end-tests --test it restore_fault:: -- --nocapture --test-threads 1

# Run one benchmark: ws, http, auth, sign-in, timing or traces beside a baseline in the same run (docs/performance.md), candles (docs/market-history.md), alerts (docs/alerts.md).
bench name="ws" *args:
    cargo build --release -p coinlink -p coinlink-bench
    cargo run --release -p coinlink-bench -- {{ name }} {{ args }}

# Put load on the release binary: people, rates or sockets (docs/load.md).
load *args:
    tests/load/run {{ args }}

# Show how often the list of words finds the mood of labelled headlines (docs/sentiment.md).
sentiment:
    cargo test -p coinlink-domain --test sentiment

# Bring the schema of DATABASE_URL up to date, or `just migrate status`, `just migrate down`.
migrate direction="up":
    cargo run --release -- migrate {{ direction }}

# Check licences, advisories and banned crates (needs cargo-deny).
deny:
    cargo deny check

# Show how many lines the tests run, and fail under 80 % (needs cargo-llvm-cov, cargo-nextest and `rustup component add llvm-tools`).
coverage *packages="--workspace":
    bash tests/coverage {{ packages }}

# Run the steps of the Dockerfile outside of a container, and look at what they make (docs/deployment.md).
image-by-hand:
    bash tests/deploy/build_by_hand

# Attack a server at full size, beside another client (docs/SECURITY_AUDIT.md): slow heads and bodies, 10,000 idle connections, bombs. Minutes.
attacks:
    cargo build -p coinlink
    cargo test -p coinlink-end-to-end-tests --test it attacks_fault::at_full_size -- --ignored --nocapture

# Fuzz for longer (docs/fuzzing.md): `just fuzz http 600` for so many seconds, or every property of a crate in so many cases (`just fuzz domain 100000`).
fuzz target="http" amount="600":
    {{ if target == "http" { "cargo build -p coinlink && FUZZ_SEED=$RANDOM FUZZ_SECONDS=" + amount + " cargo test -p coinlink-end-to-end-tests --test it penetration::fuzzed -- --nocapture" } else { "PROPTEST_CASES=" + amount + " cargo test -p " + (if target == "coinlink" { "coinlink" } else { "coinlink-" + target }) } }}
