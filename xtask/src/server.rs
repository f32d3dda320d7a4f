//! Serves the page to this machine.

use crate::files;
use crate::project::Project;
use crate::site;
use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Ports tried from the one asked for.
const PORTS: u16 = 20;

/// Sent with every answer. The first three isolate the page, which gives it precise clocks and, one day, threads; the
/// last makes an edit show at the next reload.
const HEADERS: [(HeaderName, &str); 5] = [
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

/// A server that answers since it was started.
pub(crate) struct Server {
    port: u16,
    thread: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Listens at 127.0.0.1. Where the port is taken, the next free one is used; 0 is any free one.
    ///
    /// # Errors
    /// No port near the one asked for is free, or the machine does not let us listen.
    pub(crate) fn start(project: &Project, port: u16) -> Result<Self> {
        let listener = listen(port)?;
        let port = listener.local_addr()?.port();
        let project = Arc::new(Project::at(project.root()));
        let pages = Router::new().fallback(get(move |uri| answer(Arc::clone(&project), uri)));
        // One thread is plenty for one visitor.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let thread = thread::spawn(move || {
            runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, pages).await })
        });
        Ok(Self { port, thread })
    }

    /// The address of the page.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Prints the address and serves until the program is ended.
    ///
    /// # Errors
    /// The server ended by itself.
    pub(crate) fn serve_forever(self) -> Result<()> {
        println!("the page is at {}   (Ctrl-C ends)", self.address());
        self.thread.join().map_err(|_| anyhow!("the server panicked"))?.context("the server failed")?;
        bail!("the server stopped")
    }
}

fn listen(first: u16) -> Result<TcpListener> {
    let last = first.saturating_add(PORTS);
    for port in first..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => {
                if port != first {
                    eprintln!("port {first} is taken, using {port}");
                }
                listener.set_nonblocking(true)?;
                return Ok(listener);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).context(format!("cannot listen at 127.0.0.1:{port}")),
        }
    }
    bail!("ports {first} to {last} are taken: choose another with --port")
}

/// A file whole, so that the answer carries its length: the page shows how much of it has come.
async fn answer(project: Arc<Project>, uri: Uri) -> Response {
    // The page is being worked on: the list is that of this moment.
    if uri.path().strip_prefix('/') == Some(files::NAME) {
        return match files::script(&project, true) {
            Ok(script) => (HEADERS, [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response(),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the files cannot be listed").into_response(),
        };
    }
    let body = match site::file(&project, uri.path()) {
        Some(path) => match std::fs::read(&path) {
            Ok(bytes) => ([(header::CONTENT_TYPE, site::media_type(&path))], bytes).into_response(),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read").into_response(),
        },
        None => (StatusCode::NOT_FOUND, "no such file").into_response(),
    };
    (HEADERS, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_lowercase()
    }

    #[test]
    fn files_come_whole_with_type_length_and_isolation() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("www")).unwrap();
        std::fs::write(root.path().join("www/a.wasm"), "x".repeat(100_000)).unwrap();
        let server = Server::start(&Project::at(root.path()), 0).unwrap();

        let answer = ask(&server, "GET /a.wasm");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        for line in [
            "content-type: application/wasm",
            "content-length: 100000",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-embedder-policy: require-corp",
            "cache-control: no-store",
        ] {
            assert!(head.contains(line), "{line} is missing in {head}");
        }
        assert_eq!(body.len(), 100_000);

        assert!(ask(&server, "GET /../Cargo.toml").starts_with("http/1.1 404"));
        assert!(ask(&server, "POST /a.wasm").starts_with("http/1.1 405"));
        assert!(ask(&server, "HEAD /a.wasm").ends_with("\r\n\r\n"));
    }

    #[test]
    fn connections_that_are_kept_open_do_not_block_others() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("www")).unwrap();
        std::fs::write(root.path().join("www/a.txt"), "x").unwrap();
        let server = Server::start(&Project::at(root.path()), 0).unwrap();
        let silent = || TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
        let open: Vec<_> = (0..32).map(|_| silent()).collect();
        assert!(ask(&server, "GET /a.txt").starts_with("http/1.1 200"));
        drop(open);
    }

    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let first = Server::start(&Project::at(root.path()), 0).unwrap();
        let second = Server::start(&Project::at(root.path()), first.port).unwrap();
        assert_ne!(first.port, second.port);
    }
}
