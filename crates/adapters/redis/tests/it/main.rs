//! The Redis adapters on a real Redis.

mod contracts;
mod conversations;
mod faults;
mod gate;
mod gate_faults;
mod node_name;
