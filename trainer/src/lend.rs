//! A device of this machine, lent to training runs on others.

use crate::compute::Compute;
use crate::error::Error;
use std::net::SocketAddr;

/// Computes for every run that connects, until Ctrl-C or `SIGTERM`. Runs name it `ws://HOST:PORT` (see
/// [`Place`](crate::compute::Place)); they send their pictures and weights as they are, so listen where only trusted machines
/// reach. `began` hears the address once runs can connect; with port 0 it is one that was free.
///
/// # Errors
/// [`Recipe`](crate::ErrorKind::Recipe), with what to do: the address is taken or not this machine's, the devices cannot be
/// served, or this program was built without the feature `remote`.
#[cfg(feature = "remote")]
pub fn lend(compute: &Compute, listen: SocketAddr, began: impl FnOnce(SocketAddr)) -> Result<(), Error> {
    use burn::tensor::server::{RemoteServer, WebSocketTransport};
    use tracing::subscriber::{NoSubscriber, set_global_default};
    let refused = |error| Error::recipe(format!("--listen {listen}: {error}: name another port or address"));
    let listener = std::net::TcpListener::bind(listen).map_err(refused)?;
    // Burn says every tensor that moves unless it is told otherwise; with `RUST_LOG` it says what that asks for.
    if std::env::var_os("RUST_LOG").is_none() {
        // An error means that somebody listens already, whose choice that is.
        let _ = set_global_default(NoSubscriber::new());
    }
    began(listener.local_addr().map_err(refused)?);
    RemoteServer::new(compute.devices().iter().cloned())
        .serve(WebSocketTransport::from_listener(listener))
        .map_err(|error| Error::recipe(format!("the device cannot be lent: {error}")))
}

/// As it is with the feature `remote`.
///
/// # Errors
/// [`Recipe`](crate::ErrorKind::Recipe): this program was built without it.
#[cfg(not(feature = "remote"))]
pub fn lend(_compute: &Compute, _listen: SocketAddr, _began: impl FnOnce(SocketAddr)) -> Result<(), Error> {
    Err(Error::recipe(format!("lending needs the feature `remote`: {}", crate::compute::not_built("remote"))))
}
