"""numpy's matrix products on one thread. To be said before numpy is imported.

The threads of numpy's OpenBLAS wait for more work by spinning, long after a product is done, on the cores that torch's
threads want then: seven organs on two cores took 0.7 s instead of 0.26. Ours are small products that one core does.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def keep_blas_to_one_thread(environment: MutableMapping[str, str] = os.environ) -> None:
    """What the user has set stays."""
    for name, value in ONE_THREAD.items():
        environment.setdefault(name, value)
