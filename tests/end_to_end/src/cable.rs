//! A cable between two programs, for a test to pull.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How the cable is. Connections are numbered in the order they come.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Nothing gets through; what was sent waits, as TCP would send it again.
    silent: bool,
    /// New connections are closed at once.
    refuses: bool,
    /// Connections up to this one are closed.
    closed: u64,
    /// Connections up to this one stay open and silent for ever.
    forgotten: u64,
    /// The newest connection.
    newest: u64,
}

/// Passes on what comes to a port of 127.0.0.1, for as long as it is whole.
pub struct Cable {
    address: SocketAddr,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

impl Cable {
    /// A whole one that leads to `port` on 127.0.0.1.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = watch::Sender::new(State::default());
        let task = tokio::spawn(accept(listener, port, state.clone()));
        Self { address, state, task }
    }

    /// `url` with this cable in the place of the port it leads to.
    #[must_use]
    pub fn instead_of(&self, port: u16, url: &str) -> String {
        url.replace(&format!(":{port}"), &format!(":{}", self.address.port()))
    }

    /// Closes every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_modify(|state| (state.refuses, state.closed) = (true, state.newest));
    }

    /// Nothing gets through any more, and nobody is told: packets are lost.
    pub fn silence(&self) {
        self.state.send_modify(|state| state.silent = true);
    }

    /// Whole again: what waited is passed on.
    pub fn mend(&self) {
        self.state.send_modify(|state| (state.refuses, state.silent) = (false, false));
    }

    /// Whole again for new connections; those from before stay silent, as behind a firewall that lost its state.
    pub fn mend_for_new_ones(&self) {
        self.state.send_modify(|state| (state.refuses, state.silent, state.forgotten) = (false, false, state.newest));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, state: watch::Sender<State>) {
    while let Ok((near, _)) = listener.accept().await {
        let mut number = 0;
        state.send_modify(|state| {
            state.newest += 1;
            number = state.newest;
        });
        if !state.borrow().refuses {
            tokio::spawn(carry(near, port, number, state.subscribe()));
        }
    }
}

/// One connection, to its end at either side or by the cable's.
async fn carry(near: TcpStream, port: u16, number: u64, mut state: watch::Receiver<State>) {
    let mut closed = state.clone();
    let both_ways = async {
        passes(&mut state, number).await?;
        let far = TcpStream::connect(("127.0.0.1", port)).await?;
        let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
        let (there, back) = (one_way(from_near, to_far, number, state.clone()), one_way(from_far, to_near, number, state));
        tokio::try_join!(there, back).map(drop)
    };
    // An end or an error at one side ends the other, as it does without a cable.
    tokio::select! {
        _ = both_ways => {}
        _ = closed.wait_for(|state| state.closed >= number) => {}
    }
}

async fn passes(state: &mut watch::Receiver<State>, number: u64) -> io::Result<()> {
    let passes = |state: &State| !state.silent && state.forgotten < number;
    state.wait_for(passes).await.map(drop).map_err(|_| io::ErrorKind::NotConnected.into())
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: u64,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut chunk).await?;
        passes(&mut state, number).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..count]).await?;
    }
}
