"""The session's words in the user's language. What the engine says in an error stays English in this version."""

from __future__ import annotations

from functools import partial

from slicer.i18n import tr as _

from TwoStageSegLib.model import Model
from TwoStageSegLib.session import description, words

row_text = partial(words.row_text, _=_)
question_lines = partial(words.question_lines, _=_)
seconds_text = partial(words.seconds_text, _=_)
progress_text = partial(words.progress_text, _=_)
model_summary = partial(words.model_summary, _=_)
review_heading = partial(words.review_heading, _=_)
review_line = partial(words.review_line, _=_)
figure_text = partial(words.figure_text, _=_)
outdated_text = partial(words.outdated_text, _=_)
sign_off_text = partial(words.sign_off_text, _=_)
signed_text = partial(words.signed_text, _=_)


def model_html(model: Model) -> str:
    """Everything about a model, as rich text; what a bundle says of itself is escaped."""
    names = {
        "Intended use": _("Intended use"),
        "Not for": _("Not for"),
        "Status": _("Status"),
        "Licence of the weights": _("Licence of the weights"),
        "Trained on": _("Trained on"),
        "Attribution": _("Attribution"),
        "Measured": _("Measured"),
        "Version": _("Version"),
        "SHA-256": "SHA-256",
    }
    pairs = ((names.get(heading, heading), text) for heading, text in description(model) if text)
    return "".join(f"<p><b>{_escaped(heading)}</b><br>{_breakable(_escaped(text))}</p>" for heading, text in pairs)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("; ", "<br>")


def _breakable(text: str) -> str:
    """A hash may be broken across lines: a narrow panel must not be made wide by it."""
    if len(text) == 64 and " " not in text:
        return " ".join(text[i : i + 16] for i in range(0, 64, 16))
    return text
