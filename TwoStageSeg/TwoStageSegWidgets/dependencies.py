"""What the computation needs and Slicer does not ship: found out in a child process, installed only when asked.

torch comes by the PyTorch extension, which chooses the build for this computer's graphics card. The rest is one small
package. Every package that is installed already is pinned while pip works, so that nothing of Slicer's is replaced.
"""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Callable
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from TwoStageSegLib.probe import Findings, read

from .child import Child

REQUIREMENTS = {"torch": "torch>=2.4", "safetensors": "safetensors>=0.4", "numpy": "numpy", "scipy": "scipy"}
SIZES = {"torch": _("200 MB (CPU) to 3 GB (graphics card)"), "safetensors": "1 MB"}


class Dependencies:
    """Finds out and installs; never at import, never without consent, always from the main thread.

    Parameters
    ----------
    changed : called when something is known. ``busy``: a child works. ``findings``: None until the first answer.
    """

    def __init__(self, changed: Callable[[], None]):
        self._changed = changed
        self._child = Child(self._output, self._errors, self._ended)
        self._text, self._error_text = "", ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._installing = False
        self.findings: Findings | None = None
        self.problem = ""
        self.last_line = ""

    @property
    def busy(self) -> bool:
        return self._child.running

    @property
    def installing(self) -> bool:
        return self.busy and self._installing

    def look(self) -> None:
        """Ask a child process what can be imported."""
        if not self.busy:
            self._start(["-P", "-m", "TwoStageSegLib.probe"], installing=False)

    def describe(self) -> str:
        """What is missing or broken and what to do, in one paragraph; "" if nothing is."""
        found = self.findings
        if found is None or found.usable:
            return ""
        if found.broken:
            name, reason = next(iter(found.broken.items()))
            text = _(
                "{name} is installed but does not start: {reason}. Reinstall it (module PyTorch), then press Install."
            )
            return text.format(name=name, reason=reason)
        parts = (f"{name} ({SIZES[name]})" if name in SIZES else name for name in found.missing)
        return _("Before the first run these have to be installed: {parts}.").format(parts=", ".join(parts))

    def install(self) -> None:
        """Install what is missing from the network, after a question."""
        missing = [] if self.findings is None else list(self.findings.missing)
        text = self.describe() + "\n\n" + _("They are downloaded from the Python package index. Slicer stays as it is.")
        if not missing or not slicer.util.confirmOkCancelDisplay(text, windowTitle=_("Install")):
            return
        self.problem = ""
        if "torch" in missing and not self._install_torch():
            self._changed()
            return
        rest = [REQUIREMENTS[name] for name in missing if name != "torch"]
        if rest:
            self._pip(rest)
        else:
            self.look()

    def install_from(self, folder: Path) -> None:
        """Install what is missing from a folder of wheels, without a network."""
        missing = [] if self.findings is None else list(self.findings.missing)
        self.problem = ""
        if not any(folder.glob("*.whl")):
            self.problem = _("The folder holds no wheels (files that end in .whl). Choose another.")
            self._changed()
        elif missing:
            self._pip(["--no-index", "--find-links", str(folder), *(REQUIREMENTS[name] for name in missing)])

    def close(self) -> None:
        self._child.kill()
        self._drop_folder()

    def _install_torch(self) -> bool:
        try:
            import PyTorchUtils
        except ImportError:
            self.problem = _("Install the extension PyTorch first (Extensions Manager), restart Slicer and try again.")
            return False
        try:
            logic = PyTorchUtils.PyTorchUtilsLogic()
            torch = logic.installTorch(askConfirmation=False, torchVersionRequirement=">=2.4")
        except Exception as error:  # whatever pip or the extension raises, it is said here
            self.problem = _("torch was not installed: {reason}").format(reason=str(error).splitlines()[0][:200])
            return False
        if torch is None:
            self.problem = _("torch was not installed.")
        return torch is not None

    def _pip(self, arguments: list[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twostageseg-")
        pins = Path(self._folder.name) / "constraints.txt"
        pins.write_text("\n".join(_installed()) + "\n", encoding="utf-8")
        command = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "-c", str(pins)]
        self._start([*command, *arguments], installing=True)

    def _start(self, arguments: list[str], installing: bool) -> None:
        self._text = self._error_text = self.last_line = ""
        self._installing = installing
        if not self._child.start(arguments):
            self.problem = _("Slicer's Python could not be started.")
        self._changed()

    def _output(self, data: bytes) -> None:
        self._text += data.decode("utf-8", "replace")
        lines = self._text.splitlines()
        self.last_line = lines[-1].strip()[:120] if lines else ""
        if self._installing:
            self._changed()

    def _errors(self, data: bytes) -> None:
        self._error_text += data.decode("utf-8", "replace")

    def _ended(self, code: int, crashed: bool) -> None:
        self._drop_folder()
        said = (self._error_text.strip().splitlines() or [""])[-1][:200]
        if self._installing:
            self._installing = False
            if code != 0 or crashed:
                self.problem = _("The installation failed: {reason}").format(reason=said)
                self._changed()
            else:
                self.look()
            return
        self.findings = read(self._text)
        if self.findings is None:
            self.findings = Findings(broken={"torch": _("it crashed when it was tried")})
        self._changed()

    def _drop_folder(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()


def _installed() -> list[str]:
    """``name==version`` of every package that is here, for pip's constraints."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
    return [f"{name}=={version}" for name, version in sorted(found.items()) if version]
