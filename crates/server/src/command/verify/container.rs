//! The server's own container, seen from inside: what is judged is its first process. Elsewhere nothing is, since the container of a CI job
//! tells nothing of the server.

use std::{
    env,
    fs::{self, OpenOptions},
    path::Path,
};

use super::{Visit, report::Report};

const USER: &str = "not as root";
const READ_ONLY: &str = "the root file system is read-only";
const BINARY: &str = "the program cannot be changed";
const MEMORY: &str = "memory is limited";
const PRIVILEGES: &str = "no further rights can be got";
const ALL: [&str; 5] = [USER, READ_ONLY, BINARY, MEMORY, PRIVILEGES];

pub(super) fn check(visit: &mut Visit<'_>) {
    look(&mut visit.report, Path::new("/"), env::var_os("KUBERNETES_SERVICE_HOST").is_some(), || {
        env::current_exe().ok().is_some_and(|path| is_writable(&path))
    });
}

/// Opens it for writing, and writes nothing. A program that runs cannot be opened so by anybody (`ETXTBSY`): then its folder tells.
fn is_writable(program: &Path) -> bool {
    match OpenOptions::new().append(true).open(program) {
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => true,
        Err(_) => false,
    }
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_default()
}

/// Docker, Podman, Kubernetes and containerd each leave a trace of their own.
fn is_container(root: &Path) -> bool {
    let marked = [".dockerenv", "run/.containerenv"].iter().any(|path| root.join(path).exists());
    let groups = read(root, "proc/1/cgroup");
    marked || ["docker", "kubepods", "containerd", "libpod", "lxc"].iter().any(|name| groups.contains(name))
}

/// By its command line, also behind an init that starts it.
fn first_process_is_ours(line: &str) -> bool {
    line.split('\0').any(|part| part.rsplit('/').next() == Some("coinlink"))
}

fn look(report: &mut Report, root: &Path, in_kubernetes: bool, binary_is_writable: impl FnOnce() -> bool) {
    if !in_kubernetes && !is_container(root) {
        report.skip_all(&ALL, "not in a container: run it in that of the server");
        return;
    }
    if !first_process_is_ours(&read(root, "proc/1/cmdline")) {
        let reason = "not in the server's container: its first process is no coinlink";
        report.skip_all(&ALL, reason);
        return;
    }
    let status = read(root, "proc/1/status");
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
    let user = field("Uid:").split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    report.must(
        user != "0" && user != "unknown",
        USER,
        format!("user id {user}"),
        "run it as the image's own user (USER, runAsNonRoot)",
    );
    match root_options(&read(root, "proc/1/mountinfo")) {
        Some(options) => {
            let held = options.split(',').any(|option| option == "ro");
            report.must(held, READ_ONLY, if held { "ro" } else { "rw" }, "read_only: true, readOnlyRootFilesystem: true");
        }
        None => report.fail(READ_ONLY, "how it is mounted cannot be read", "mount /proc as usual"),
    }
    let writable = binary_is_writable();
    report.must(
        !writable,
        BINARY,
        if writable { "its user may write to it" } else { "its user may not" },
        "let root own it, with mode 0755",
    );
    memory(report, root);
    let (bounded, rights) = (field("NoNewPrivs:") == "1", field("CapEff:").trim_start_matches('0').is_empty());
    let seen = format!(
        "no-new-privileges {}, capabilities {}",
        if bounded { "on" } else { "off" },
        if rights { "none" } else { "some" }
    );
    let advice = "no-new-privileges:true and cap_drop: [ALL]; allowPrivilegeEscalation: false";
    report.must(bounded && rights, PRIVILEGES, seen, advice);
}

/// The options with which `/` is mounted: the last mount there counts.
fn root_options(mounts: &str) -> Option<&str> {
    let fields = |line: &'_ str| line.split(' ').nth(4) == Some("/");
    mounts.lines().rfind(|line| fields(line)).and_then(|line| line.split(' ').nth(5))
}

fn memory(report: &mut Report, root: &Path) {
    let limits = ["sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = limits.iter().map(|path| read(root, path)).find(|text| !text.trim().is_empty());
    // Without a limit the first kind says `max`, the second a number that no machine has.
    let bytes = limit.as_deref().and_then(|text| text.trim().parse::<u64>().ok()).filter(|bytes| *bytes < 1 << 60);
    let seen = bytes.map_or("no limit".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    report.must(bytes.is_some(), MEMORY, seen, "give it a limit: without one it takes its neighbours' memory");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(status: &str, mounts: &str, memory: &str, writable: bool) -> String {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("proc/1/cmdline", "/usr/local/bin/coinlink\0serve\0"),
            ("proc/1/status", status),
            ("proc/1/mountinfo", mounts),
            ("sys/fs/cgroup/memory.max", memory),
            (".dockerenv", ""),
        ] {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let mut report = Report::new();
        look(&mut report, root.path(), false, || writable);
        report.table("http://h")
    }

    const GUARDED: &str = "Uid:\t10001\t10001\t10001\t10001\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n";
    const OPEN: &str = "Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t0\n";

    #[test]
    fn a_guarded_container_passes_and_each_gap_of_an_open_one_is_named() {
        let guarded = table(GUARDED, "1 0 0:1 / / ro,relatime - overlay overlay rw\n", "536870912\n", false);
        assert!(guarded.contains("5 ok") && guarded.contains("512 MiB"), "{guarded}");
        let open = table(OPEN, "1 0 0:1 / / rw,relatime - overlay overlay rw\n", "max\n", true);
        assert!(open.contains("5 FAIL"), "{open}");
        for name in ALL {
            assert!(open.contains(name), "{open}");
        }
        assert!(table("", "", "", false).contains("4 FAIL"), "what cannot be read is no pass");
    }

    #[test]
    fn outside_of_a_container_nothing_is_passed() {
        let root = tempfile::tempdir().unwrap();
        let mut report = Report::new();
        look(&mut report, root.path(), false, || true);
        let table = report.table("http://h");
        assert!(table.contains("5 skipped") && table.contains("not in a container"), "{table}");
        fs::write(root.path().join(".dockerenv"), "").unwrap();
        let mut report = Report::new();
        look(&mut report, root.path(), false, || true);
        let table = report.table("http://h");
        assert!(table.contains("5 skipped") && table.contains("not in the server's container"), "{table}");
        assert!(
            first_process_is_ours("/sbin/tini\0--\0/coinlink\0serve\0") && !first_process_is_ours("bash\0-c\0coinlink-run\0")
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(/| |\\PC|\n){0,80}") {
            let _ = root_options(&text);
        }
    }
}
