"""The page: its sections, in the order of the work, are Vue templates in ``static``; this file puts them together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import RESEARCH_NOTICE

STATIC = Path(__file__).with_name("static")
ASSETS = "__twostageseg"
SECTIONS = ("ct", "model", "organs", "run", "into", "review", "files", "log")


def build_page(server: Any, layout: Any, desktop: Any) -> dict[str, str]:
    """Make the page's template and connect its acts; returns the folders of assets that it needs."""
    from trame.ui.html import DivLayout
    from trame.widgets import html
    from trame_client.module import vue3

    from .acts import Acts

    acts = Acts(desktop)

    def act(name: str, *values: Any) -> bool:
        done = acts.do(name, *values)
        desktop.draw()
        return done

    server.trigger("act")(act)
    server.enable_module({"scripts": [f"{ASSETS}/page.js"], "styles": [f"{ASSETS}/page.css"]})
    server.state.trame__title = "TwoStageSeg"
    server.state.trame__favicon = f"{ASSETS}/icon.svg"
    with DivLayout(server, classes="app") as page:
        with html.Aside(classes="panel", aria_label="TwoStageSeg"):
            for section in SECTIONS:
                html.Div(template(section), classes=f"section section-{section}")
            html.Div(RESEARCH_NOTICE, classes="notice")
        with html.Main(classes="desk"):
            html.Div(template("tools"), classes="tools")
            with html.Div(classes="views"):
                layout.initialize_layout_grid(page)
        html.Div(template("question"))
    return {"": vue3.www, ASSETS: str(STATIC), **{key: _folder(value) for key, value in server.serve.items()}}


def template(section: str) -> str:
    """A section's Vue template."""
    return (STATIC / "sections" / f"{section}.html").read_text(encoding="utf-8")


def _folder(value: Any) -> str:
    return str(value[0] if isinstance(value, (tuple, list)) else value)
