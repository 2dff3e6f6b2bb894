# shellcheck shell=sh
# What the scripts of this folder share. They are read by `. lib.sh`, never run.
#
# Where things are, and who asks (each script's --help names those it uses):
#
#   BACKUP_DIR           /var/backups/coinlink. Below it: dumps/ base/ wal/ redis/
#   PGHOST PGPORT PGUSER PGDATABASE, PGPASSFILE     as every program of PostgreSQL reads them
#   PGPASSWORD_FILE      a file that holds the password alone (a mounted secret), in place of PGPASSFILE
#   PG_BIN               the folder of PostgreSQL's programs, where they are not in PATH or the wrong release is
#   BACKUP_KEEP_DAILY    7   BACKUP_KEEP_WEEKLY 4   BACKUP_KEEP_BASE 2
#   BACKUP_LOCK_SECS     60  how long to wait for another backup that runs
#   BACKUP_METRICS_DIR   where node_exporter's textfile collector reads: each backup that was made leaves its moment there. Unset: nowhere
#   REDIS_HOST REDIS_PORT REDIS_USER REDIS_PASSWORD_FILE REDIS_TLS REDIS_DATA_DIR     redis-copy
#
# No secret is taken from or put on a command line, where everybody on the machine can read it.

set -eu
umask 077
LC_ALL=C TZ=UTC
export LC_ALL TZ

program=$(basename "$0")
work=
BACKUP_DIR=${BACKUP_DIR:-/var/backups/coinlink}

say() { printf '%s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$program" "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}
# For what was typed: exit code 2, as for other programs.
misused() {
    printf '%s: %s\nTry %s --help.\n' "$program" "$*" "$program" >&2
    exit 2
}

# The comment at the head of the script, which is its help.
usage() {
    sed -n '2,/^$/{s/^# \{0,1\}//;p;}' "$0"
    exit 0
}

needs() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 || die "$tool is missing: install it, or set PG_BIN or PATH"
    done
}

# Everything unfinished is in $work, so that a run that is ended leaves nothing behind that looks like a backup.
clean_up() {
    if [ -n "$work" ]; then rm -rf "$work"; fi
}

# make_work FOLDER: $work is in the folder itself, as only then is a rename one step.
make_work() {
    mkdir -p "$1" || die "cannot make $1"
    work=$(mktemp -d "$1/.unfinished.XXXXXX") || die "cannot write to $1"
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Flushes files and folders to the disk, and fails where that fails.
flush() { sync "$@" || die "cannot flush $* to the disk"; }

# flush_tree FOLDER: every file and folder in it.
flush_tree() { find "$1" -exec sync {} + || die "cannot flush $1 to the disk"; }

# publish FROM TO: FROM, whole and flushed, gets its name.
publish() {
    mv "$1" "$2" || die "cannot name $2"
    flush "$(dirname "$2")"
}

# succeeded KIND: the moment, for whoever watches. That it cannot be left makes the backup no worse.
succeeded() {
    [ -n "${BACKUP_METRICS_DIR:-}" ] || return 0
    metric=coinlink_backup_last_success_timestamp_seconds
    unfinished=$BACKUP_METRICS_DIR/.coinlink-$1.$$
    if ! {
        printf '# HELP %s When a backup of this kind was last made\n# TYPE %s gauge\n%s{kind="%s"} %s\n' \
            "$metric" "$metric" "$metric" "$1" "$(date -u +%s)" >"$unfinished" &&
            chmod 644 "$unfinished" && mv "$unfinished" "$BACKUP_METRICS_DIR/coinlink-$1.prom"
    } 2>/dev/null; then
        rm -f "$unfinished"
        say "warning: cannot write to BACKUP_METRICS_DIR $BACKUP_METRICS_DIR"
    fi
}

# One backup of a kind at a time.
lock() {
    mkdir -p "$BACKUP_DIR"
    exec 9>"$BACKUP_DIR/.$1.lock"
    flock -w "${BACKUP_LOCK_SECS:-60}" 9 || die "another $1 runs (lock $BACKUP_DIR/.$1.lock)"
}

whole_number() {
    case $2 in
        '' | *[!0-9]* | 0*) die "$1 is '$2': it has to be a whole number from 1" ;;
    esac
}

# of_the_future STAMP: whether 20261121T020000Z has not come yet. Then the clock was wrong when the name was given, or it is now,
# and which backup is the newest cannot be told.
of_the_future() { expr "$1" \> "$(date -u +%Y%m%dT%H%M%SZ)" >/dev/null; }

# future_names FOLDER GLOB: names of backups there that have not come yet.
future_names() {
    for each in $(find "$1" -maxdepth 1 -name "$2" | sed 's|.*/||' | sort); do
        stamp=${each#coinlink-}
        if of_the_future "${stamp%%.*}"; then printf '%s\n' "$each"; fi
    done
}

# nothing_is_removed NAMES: says why; afterwards the script ends with its exit code for that.
nothing_is_removed() {
    say "error: $(printf '%s' "$1" | tr '\n' ' ') is dated in the future: the clock was wrong when it was made, or is wrong now." \
        "Nothing is removed. Set the clock right; if it is, move that backup away (docs/backups.md)"
}

# PostgreSQL's programs and their password.
postgres() {
    if [ -n "${PG_BIN:-}" ]; then PATH=$PG_BIN:$PATH; fi
    export PATH
    export PGDATABASE="${PGDATABASE:-coinlink}" PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}" PGAPPNAME="coinlink $program"
    if [ -n "${PGPASSWORD_FILE:-}" ]; then
        [ -r "$PGPASSWORD_FILE" ] || die "PGPASSWORD_FILE $PGPASSWORD_FILE cannot be read"
        # `:` and `\` separate and escape in a password file.
        password=$(sed -e 's/[\\:]/\\&/g' "$PGPASSWORD_FILE") || die "PGPASSWORD_FILE $PGPASSWORD_FILE cannot be read"
        printf '*:*:*:*:%s\n' "$password" >"$work/pgpass"
        unset password
        PGPASSFILE=$work/pgpass
        export PGPASSFILE
    fi
}

# query DATABASE SQL: one value.
query() { psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$1" --command "$2"; }

# check_sum FILE: whether it is what its .sha256 says.
check_sum() {
    [ -f "$1.sha256" ] || return 1
    (cd "$(dirname "$1")" && sha256sum --check --status "$(basename "$1").sha256") 2>/dev/null
}
