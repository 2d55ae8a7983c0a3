#!/usr/bin/env bash
# Runs the module's self-test inside a 3D Slicer (5.10 or later) that you have:  Testing/in_slicer.sh /path/to/Slicer
# Ends with Slicer's exit code: 0 if every test passed. Install torch first (module TwoStageSeg, Install), or the test
# of a whole run is skipped. On a machine without a screen put `xvfb-run -a` before it.
set -euo pipefail
slicer=${1:?usage: Testing/in_slicer.sh /path/to/Slicer}
module=$(cd "$(dirname "$0")/../TwoStageSeg" && pwd)
exec "$slicer" --no-splash --testing --ignore-slicerrc --additional-module-paths "$module" --python-code \
    "import slicer.testing; slicer.testing.runUnitTest(['$module'], 'TwoStageSeg')"
