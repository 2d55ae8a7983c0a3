"""The page's scripts, styles and fonts: a table of the files that exist. What is not in it does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ttf": "font/ttf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".tpl": "text/html",
    ".json": "application/json",
    ".wasm": "application/wasm",
}


def table(folders: Mapping[str, str]) -> dict[str, Path]:
    """Files by address, of folders by the first part of the address ("" for the page's own)."""
    found = {}
    for prefix, folder in folders.items():
        root = Path(folder)
        for file in root.rglob("*"):
            if file.suffix in TYPES and file.is_file() and not file.is_symlink():
                found["/".join(filter(None, (prefix, *file.relative_to(root).parts)))] = file
    return found
