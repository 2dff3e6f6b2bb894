//! A server under test: a process of its own, ended with this value.

use crate::{Outcome, load::exchange};
use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const START: Duration = Duration::from_secs(20);

/// The kernel counts processor time in these, for every program that asks.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// The real binary with simulated prices and `settings`, in an empty folder.
    pub(crate) fn coinlink(binary: &Path, settings: &[(&str, String)]) -> Outcome<Self> {
        let mut command = Command::new(built(binary)?);
        let (folder, address) = (TempDir::new()?, free_address()?);
        command
            .args(["dev", "--feed", "simulated"])
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .env("DATA_DIR", folder.path())
            .env("LOG_LEVEL", "warn")
            .envs(settings.iter().map(|(name, value)| (name, value)));
        Self::start(command, address, folder)
    }

    /// The real binary with `settings` as one of several nodes would run, in an empty folder.
    pub(crate) fn serve(binary: &Path, settings: &[(&str, String)]) -> Outcome<Self> {
        let mut command = Command::new(built(binary)?);
        let (folder, address) = (TempDir::new()?, free_address()?);
        command
            .arg("serve")
            .env("HOST", address.ip().to_string())
            .env("PORT", address.port().to_string())
            .env("LOG_LEVEL", "warn")
            .envs(settings.iter().map(|(name, value)| (name, value)));
        Self::start(command, address, folder)
    }

    /// This program again, as `baseline`, sending what `sample` holds.
    pub(crate) fn baseline(baseline: &str, sample: &[u8], arguments: &[String]) -> Outcome<Self> {
        let (folder, address) = (TempDir::new()?, free_address()?);
        let file = folder.path().join("sample");
        fs::write(&file, sample)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args([baseline, "--listen", &address.to_string(), "--sample"]).arg(file).args(arguments);
        Self::start(command, address, folder)
    }

    fn start(mut command: Command, address: SocketAddr, folder: TempDir) -> Outcome<Self> {
        // A baseline ends when its standard input does, so it does not outlive a benchmark that was killed.
        command
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(File::create(folder.path().join("stdout"))?)
            .stderr(File::create(folder.path().join("stderr"))?);
        let mut server = Self { child: command.spawn()?, address, folder };
        let deadline = Instant::now() + START;
        while exchange(address, "/livez").is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{} ended with {status}:\n{}", command.get_program().display(), server.log()).into());
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not answer:\n{}", command.get_program().display(), server.log()).into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to its standard streams.
    pub(crate) fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("stdout") + &read("stderr")
    }

    fn about(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }

    /// Memory it has in use, in KiB.
    pub(crate) fn resident_kib(&self) -> Outcome<u64> {
        let status = fs::read_to_string(self.about("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in its status")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way there is nothing left to do about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time in seconds, of each who uses it: since the machine started, or between two moments.
#[derive(Clone, Copy)]
pub(crate) struct Busy {
    pub(crate) server: f64,
    /// This process.
    pub(crate) client: f64,
    /// Everybody else on the machine.
    pub(crate) others: f64,
}

impl Busy {
    pub(crate) fn now(server: &Server) -> Outcome<Self> {
        let all = fs::read_to_string("/proc/stat")?;
        let all = all.lines().next().ok_or("no figures of the processors")?;
        // user, nice, system, then idle and iowait, which are none, then interrupts.
        let ticks: Vec<f64> = all.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        let busy = (ticks.iter().take(7).sum::<f64>() - idle) / TICKS_PER_SECOND;
        let (server, client) = (processor_seconds(&server.about("stat"))?, processor_seconds(Path::new("/proc/self/stat"))?);
        Ok(Self { server, client, others: busy - server - client })
    }

    pub(crate) fn until_now(self, server: &Server) -> Outcome<Self> {
        let now = Self::now(server)?;
        Ok(Self {
            server: now.server - self.server,
            client: now.client - self.client,
            others: (now.others - self.others).max(0.0),
        })
    }
}

/// Processor time of the process that `stat` tells of, in user and kernel mode.
fn processor_seconds(stat: &Path) -> Outcome<f64> {
    let stat = fs::read_to_string(stat)?;
    // The second field is the program's name in brackets and may hold spaces.
    let after_name = stat.rsplit_once(')').ok_or("no name in the process's figures")?.1;
    let ticks: Vec<f64> = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// The process `pid`'s processor time.
pub(crate) fn processor_seconds_of(pid: u32) -> Outcome<f64> {
    processor_seconds(Path::new(&format!("/proc/{pid}/stat")))
}

fn built(binary: &Path) -> Outcome<PathBuf> {
    let missing = |error| format!("{}: {error}; build it with `cargo build --release -p coinlink`", binary.display());
    Ok(fs::canonicalize(binary).map_err(missing)?)
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
