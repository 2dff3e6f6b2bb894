//! The CoinLink backend: settings, wiring, HTTP, sockets and jobs around the use cases.

pub mod broadcast;
mod certificate;
pub mod cli;
pub mod command;
pub mod config;
pub mod http;
pub mod jobs;
mod listening;
pub mod serve;
mod starting;
pub mod telemetry;
mod timed_stream;
mod turns;
pub mod wire;
pub mod wiring;
pub mod ws;
