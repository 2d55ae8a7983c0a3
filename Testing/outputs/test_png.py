"""The PNG writer against an independent reader."""

from __future__ import annotations

import io

import numpy as np
import pytest

from TwoStageSegLib.outputs.png import encode_png


def test_an_independent_reader_sees_the_colours():
    image_module = pytest.importorskip("PIL.Image")
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    palette = ((0, 0, 0), (255, 0, 0), (10, 20, 30))
    picture = image_module.open(io.BytesIO(encode_png(indices, palette)))
    assert picture.size == (3, 2)
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.asarray(palette, np.uint8)[indices])


def test_an_index_beyond_the_palette_is_refused():
    with pytest.raises(ValueError, match="palette"):
        encode_png(np.array([[2]], np.uint8), ((0, 0, 0), (1, 1, 1)))
