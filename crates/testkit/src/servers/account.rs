//! The account a server runs as when the tests run as root: PostgreSQL refuses to run as root, and no server needs to.

use std::{fs, os::unix::fs::chown, os::unix::process::CommandExt, path::Path, process::Command};

/// A user and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// `None` when we are not root and servers run as ourselves; else the account called `name`, or `nobody`.
    pub(super) fn for_server(name: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let account = Self::find(&passwd, name).or_else(|| Self::find(&passwd, "nobody"));
        Some(account.expect("/etc/passwd knows nobody"))
    }

    fn find(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some(Self { user: fields.next()?.ok()?, group: fields.next()?.ok()? })
    }

    /// Gives `path` to this account.
    pub(super) fn own(self, path: &Path) {
        chown(path, Some(self.user), Some(self.group)).unwrap_or_else(|e| panic!("chown {}: {e}", path.display()));
    }

    /// Lets `command` run as this account, without root's other groups.
    pub(super) fn run(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/:/bin/sh\npost:x:7:8::/:\npostgres:x:101:104:PostgreSQL,,,:/var/lib:/bin/bash\n";
        assert_eq!(Account::find(passwd, "postgres"), Some(Account { user: 101, group: 104 }));
        assert_eq!(Account::find(passwd, "redis"), None);
    }
}
