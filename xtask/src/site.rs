//! What the published site is made of: which address is which file, and how browsers are told about it.

use crate::project::Project;
use percent_encoding::percent_decode_str;
use std::path::PathBuf;

/// The file behind the path of an address such as `/worker/worker.js?x`, if the site has one.
///
/// `/pkg/` is what wasm-pack built, everything else lies in www/, and a folder means its index.html. Nothing outside
/// these two folders has an address, and no name that begins with a dot.
pub(crate) fn file(project: &Project, address: &str) -> Option<PathBuf> {
    let path = address.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let (folder, rest) = match path.strip_prefix("pkg/") {
        Some(rest) => ("pkg", rest),
        None => ("www", &*path),
    };
    let rest = if rest.is_empty() || rest.ends_with('/') { format!("{rest}index.html") } else { rest.to_owned() };
    if rest.split('/').any(|name| name.is_empty() || name.starts_with('.') || name.contains(['\\', '\0', ':'])) {
        return None;
    }
    let folder = project.path(folder).canonicalize().ok()?;
    // A link may lead out of the folder: the real path decides.
    let file = folder.join(rest).canonicalize().ok()?;
    (file.starts_with(&folder) && file.is_file()).then_some(file)
}

/// The media type by the ending of the file's name.
pub(crate) fn media_type(file: &std::path::Path) -> String {
    let mime = mime_guess::from_path(file).first_or_octet_stream();
    if mime.type_() == "text" { format!("{mime}; charset=utf-8") } else { mime.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};
    use std::path::Path;

    #[test]
    fn addresses_lead_to_files_of_the_site_and_to_no_others() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());
        for path in ["www/index.html", "www/a b.txt", "www/.hidden", "www/pkg-not.js", "pkg/lsspq.js", "Cargo.toml"] {
            let path = root.path().join(path);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(path, "x").unwrap();
        }
        let found = |address| file(&project, address).map(|p| p.file_name().unwrap().to_owned());
        for (address, name) in [
            ("/", "index.html"),
            ("/?model=x", "index.html"),
            ("/a%20b.txt", "a b.txt"),
            ("/pkg/lsspq.js", "lsspq.js"),
            ("/pkg-not.js", "pkg-not.js"),
        ] {
            assert_eq!(found(address).as_deref(), Some(name.as_ref()), "{address}");
        }
        for address in [
            "",
            "/none",
            "/.hidden",
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/pkg/../Cargo.toml",
            "/..%2fCargo.toml",
            "/pkg",
            "//etc/passwd",
            "/..\\Cargo.toml",
            "/%00",
            "/%ff",
        ] {
            assert_eq!(found(address), None, "{address}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_of_the_site_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        create_dir_all(root.path().join("www")).unwrap();
        write(root.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), root.path().join("www/link")).unwrap();
        assert_eq!(file(&Project::at(root.path()), "/link"), None);
    }

    #[test]
    fn browsers_get_the_types_that_they_insist_on() {
        for (name, wanted) in [
            ("a.wasm", "application/wasm"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.html", "text/html; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.onnx", "application/octet-stream"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.jpg", "image/jpeg"),
            ("a.webmanifest", "application/manifest+json"),
        ] {
            assert_eq!(media_type(Path::new(name)), wanted, "{name}");
        }
    }
}
