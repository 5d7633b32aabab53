"""Beside an ERP whose modules are called like Anula's: one line says so, at each door."""

import os
import subprocess
import sys

import pytest

from tests.support.site import ROOT

pytestmark = pytest.mark.integration

DOORS = {
    "anula": ["-c", "from worker.cli.main import main; main()", "jobs"],
    "celery": ["-m", "celery", "--app", "worker.app", "worker"],
}


@pytest.fixture
def erp(tmp_path):
    """A folder that Python searches first."""
    return tmp_path


def write_module(place):
    place.parent.mkdir(exist_ok=True)
    place.write_text("SETTING = 1\n")


def run_beside(erp, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=erp,
        env=os.environ | {"PYTHONPATH": f"{erp}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("module", ["config.py", "config/__init__.py", "tasks.py"])
def test_a_program_of_anula_ends_with_one_line(erp, module, door):
    write_module(erp / module)

    ran = run_beside(erp, *DOORS[door])

    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("anula: Python finds the module")
    assert str(erp) in line
    assert "docs/erp/python.md" in line


@pytest.mark.parametrize("before", ["", "import config; "], ids=["first", "after the ERP's own"])
def test_the_client_tells_the_erp_what_is_wrong(erp, before):
    write_module(erp / "config.py")

    ran = run_beside(erp, "-c", f"{before}from worker.client import Client")

    assert ran.stderr.splitlines()[-1].startswith("ImportError: Python finds the module config in ")
