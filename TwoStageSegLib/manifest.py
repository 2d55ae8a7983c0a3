"""What a model bundle says about itself: a strict, typed reading of ``manifest.json``. Data only, never code.

Unknown keys, missing keys and wrong types are refused, so that a changed or newer bundle is never half understood.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import ModelRefused
from .review.wording import SIGNALS
from .strict_json import StrictError, build, loads

SCHEMA = "twostageseg/1"
MAX_MANIFEST_BYTES = 1_000_000
MAX_TEXT = 5000
MAX_ATOL = 0.1  # of logits; a self-test that allows more than that tests nothing
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
BUNDLE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True)
class Licence:
    """Terms of the weights and of what they were trained on."""

    weights: str
    training_data: list[str]
    attribution: list[str]


@dataclass(frozen=True)
class InputSpec:
    """Preprocessing: clip to ``clip``, subtract ``centre``, divide by ``scale``; ``outside`` beyond the image.

    Without ``percentiles`` the four are in the image's own units (HU). With ``[low, high]``, for images without units
    such as MR, they are in units of each volume's own range: its ``low``-th percentile is 0, its ``high``-th 1000
    (``systems.preprocess.value_range``).
    """

    modality: str
    clip: list[float]
    centre: float
    scale: float
    outside: float
    percentiles: list[float] | None = None


@dataclass(frozen=True)
class SuspicionSpec:
    """A logistic model: ``P = 1 / (1 + exp(-(offset + sum(weight * (signal - centre) / scale))))``.

    ``terms`` holds ``[centre, scale, weight]`` per signal (names in ``review.wording``). A slice is flagged from
    ``flag_at`` on.
    """

    offset: float
    terms: dict[str, list[float]]
    flag_at: float


@dataclass(frozen=True)
class ReviewSpec:
    """How this organ's slices are judged without a reference: P(slice Dice < 0.7).

    ``density_hu`` and ``log_ml`` (mean log of the volume in ml) are those of the reference contours; ``quick`` does
    without the second segmentation in a moved crop, ``full`` has it.
    """

    density_hu: float
    log_ml: float
    quick: SuspicionSpec
    full: SuspicionSpec


@dataclass(frozen=True)
class OrganSpec:
    """One organ of a bundle.

    ``network`` is the role of the network that segments it, ``output`` its channel there; ``mirror`` says that the
    crop is flipped left-right on the way in and out (one network for both sides). ``crop_mm`` (z, y, x) is the crop
    around a clicked centre; ``margin_mm`` (x-, x+, y-, y+, z-, z+) is added to a located box, from the measured
    location error. A region with a score under ``low_score`` is "low confidence", under ``located_score`` "not
    located". ``volume_ml`` is the training range. ``review`` is None if nothing was fitted to judge this organ's
    slices by.
    """

    name: str
    output: int
    mirror: bool
    crop_mm: list[float]
    margin_mm: list[float]
    located_score: float
    low_score: float
    threshold: float
    volume_ml: list[float]
    terminology: str
    rgb: list[int]
    network: str = "segment"
    review: ReviewSpec | None = None


@dataclass(frozen=True)
class NetworkSpec:
    """One network: architecture by name, its arguments, its weights' file and the grid it works on (mm, z y x)."""

    architecture: str
    arguments: dict[str, Any]
    file: str
    spacing_mm: list[float]
    outputs: list[str]


@dataclass(frozen=True)
class FileEntry:
    sha256: str
    bytes: int


@dataclass(frozen=True)
class SelfTest:
    """A tiny input and the expected output in one safetensors file: ``<role>.input`` and ``<role>.expected``."""

    file: str
    atol: float


@dataclass(frozen=True)
class Manifest:
    """Everything known about a bundle. See DESIGN: a bundle is described by data and verified before use."""

    schema: str
    name: str
    version: str
    title: str
    system: str
    created: str
    code_version: str
    licence: Licence
    intended_use: str
    not_for: list[str]
    regulatory_status: str
    input: InputSpec
    organs: list[OrganSpec]
    networks: dict[str, NetworkSpec]
    parameters: dict[str, Any]
    self_test: SelfTest
    files: dict[str, FileEntry]
    references: list[str]
    evaluation: dict[str, Any] = field(default_factory=dict)

    def organ(self, name: str) -> OrganSpec:
        for organ in self.organs:
            if organ.name == name:
                return organ
        raise KeyError(name)

    @property
    def organ_names(self) -> tuple[str, ...]:
        return tuple(o.name for o in self.organs)

    def measured(self, organ: str) -> str:
        """``Dice 0.871, HD95 3.2 mm, 25 cases`` of automatic location, on cases held out of training; "" if nobody
        has measured it (``python -m training evaluate --write`` does)."""
        organs = self.evaluation.get("organs")
        entry = organs.get(organ) if isinstance(organs, dict) else None
        auto = entry.get("auto") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(auto, dict):
            return ""
        figures = (
            (auto.get("dice"), "Dice {:.3f}"),
            (auto.get("hd95"), "HD95 {:.1f} mm"),
            (entry.get("n"), "{} cases"),
        )
        return ", ".join(text.format(value) for value, text in figures if isinstance(value, int | float))

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"


def parse_manifest(text: bytes) -> Manifest:
    """Read and check a manifest. Raises ModelRefused with the place and the reason."""
    if len(text) > MAX_MANIFEST_BYTES:
        raise ModelRefused(f"manifest.json is {len(text)} bytes; at most {MAX_MANIFEST_BYTES} are allowed.")
    try:
        raw = loads(text)
    except StrictError as error:
        raise ModelRefused(f"manifest.json is {error}") from None
    if not isinstance(raw, dict):
        raise ModelRefused("manifest.json must hold one JSON object.")
    if raw.get("schema") != SCHEMA:
        raise ModelRefused(
            f"manifest.json has schema {str(raw.get('schema'))[:40]!r}; "
            f"this version reads {SCHEMA!r}. Update TwoStageSeg."
        )
    _check_texts(raw, "manifest")
    try:
        manifest = build(Manifest, raw, "manifest")
    except StrictError as error:
        raise ModelRefused(f"manifest.json: {error}.") from None
    _check_values(manifest)
    return manifest


def _check_texts(value: Any, place: str) -> None:
    """Refuse texts that are no line: they reach terminals, file headers and pages."""
    if isinstance(value, str):
        _need(
            value.isprintable() and len(value) <= MAX_TEXT, f"{place} is no plain line of up to {MAX_TEXT} characters"
        )
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _check_texts(item, f"{place}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key, f"a key of {place}")
            _check_texts(item, f"{place}.{key[:40]}")


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise ModelRefused(f"manifest.json: {what}.")


def _check_values(m: Manifest) -> None:
    """What holds for every bundle; a system checks what it needs beyond that when it is created."""
    _need(BUNDLE_NAME.fullmatch(m.name) is not None, "name must be lower-case letters, digits and hyphens")
    _need(0 < len(m.organs) <= 200, "organs must list 1 to 200 organs")
    _need(len(set(m.organ_names)) == len(m.organs), "an organ is listed twice")
    _need(len(m.input.clip) == 2 and m.input.clip[0] < m.input.clip[1], "input.clip must be [low, high]")
    _need(m.input.scale > 0, "input.scale must be positive")
    if m.input.percentiles is not None:
        rising = len(m.input.percentiles) == 2 and 0 <= m.input.percentiles[0] < m.input.percentiles[1] <= 100
        _need(rising, "input.percentiles must be [low, high], rising, from 0 to 100")
        _need(m.input.modality != "CT", "input.percentiles are for images without units; a CT has Hounsfield units")
    for organ in m.organs:
        _check_organ(organ)
    _need(0 < len(m.networks) <= 50, "networks must list 1 to 50 networks")
    for role, n in m.networks.items():
        _need(
            len(n.spacing_mm) == 3 and all(0.1 <= s <= 50 for s in n.spacing_mm), f"{role}.spacing_mm must be 3 sizes"
        )
        _need(0 < len(n.outputs) == len(set(n.outputs)), f"{role}.outputs must name one or more outputs, each once")
        _need(n.file in m.files, f"network {role} names a file that is not listed")
    _need(m.self_test.file in m.files, "self_test names a file that is not listed")
    _need(0 < m.self_test.atol <= MAX_ATOL, f"self_test.atol must be above 0 and at most {MAX_ATOL:g}")
    for name, entry in m.files.items():
        _need(FILE_NAME.fullmatch(name) is not None and ".." not in name, f"file name {name[:40]!r} is not allowed")
        _need(name != "manifest.json", "the manifest cannot list itself")
        _need(re.fullmatch(r"[0-9a-f]{64}", entry.sha256) is not None, f"{name}: sha256 must be 64 hex digits")
        _need(0 < entry.bytes <= 2_000_000_000, f"{name}: implausible size")


def _check_organ(o: OrganSpec) -> None:
    _need(0 < len(o.name) <= 64 and o.name.isprintable(), "an organ's name is empty or too long")
    _need(o.output >= 0, f"{o.name}.output must be the number of an output, from 0")
    _need(len(o.crop_mm) == 3 and all(0 < c <= 2000 for c in o.crop_mm), f"{o.name}.crop_mm must be 3 sizes in mm")
    _need(len(o.margin_mm) == 6 and all(0 <= c <= 1000 for c in o.margin_mm), f"{o.name}.margin_mm must be 6 distances")
    _need(
        0 <= o.located_score <= o.low_score <= 1,
        f"{o.name}.located_score and low_score must rise from 0 to 1 in this order",
    )
    _need(0 < o.threshold < 1, f"{o.name}.threshold must be between 0 and 1")
    _need(len(o.volume_ml) == 2 and o.volume_ml[0] <= o.volume_ml[1], f"{o.name}.volume_ml must be [low, high]")
    if o.review is not None:
        _check_suspicion(o.name, o.review.quick)
        _check_suspicion(o.name, o.review.full)
    _need(len(o.rgb) == 3 and all(0 <= c <= 255 for c in o.rgb), f"{o.name}.rgb must be 3 values 0..255")


def _check_suspicion(organ: str, s: SuspicionSpec) -> None:
    _need(0 < s.flag_at <= 1, f"{organ}.review: flag_at must be above 0 and at most 1")
    _need(len(s.terms) <= 50, f"{organ}.review: at most 50 terms")
    for name, term in s.terms.items():
        _need(name in SIGNALS, f"{organ}.review: the signal {name[:40]!r} is unknown")
        _need(len(term) == 3 and term[1] > 0, f"{organ}.review: {name} must be [centre, scale above 0, weight]")
