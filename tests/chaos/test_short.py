"""A short run of the chaos suite, for every `make test`; `make chaos` is the long one."""

import os

import pytest

from tests.chaos.run import report
from tests.chaos.scenario import Script, play

pytestmark = pytest.mark.e2e


def test_nothing_is_lost_and_nothing_doubled_under_a_few_dozen_faults(tmp_path):
    seed = int(os.environ.get("CHAOS_SEED", "1"))
    print(f"seed {seed}")

    result = play(Script(seed, jobs=300, seconds=15.0, workers=2, every_s=0.7, patience_s=5.0), tmp_path)

    report(result, tmp_path)
    print(result.last_line)
    assert result.is_sound
    assert result.faults.total() >= 10
