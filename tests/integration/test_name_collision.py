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


@pytest.fixture(params=["config.py", "config", "tasks.py"])
def erp(request, tmp_path):
    """A folder that Python searches first, with a module of the ERP's own."""
    module = tmp_path / request.param
    if module.suffix:
        module.write_text("SETTING = 1\n")
    else:
        module.mkdir()
        (module / "__init__.py").write_text("SETTING = 1\n")
    return tmp_path


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
def test_a_program_of_anula_ends_with_one_line(erp, door):
    ran = run_beside(erp, *DOORS[door])

    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("anula: Python finds the module")
    assert str(erp) in line
    assert "docs/erp/python.md" in line


def test_the_client_tells_the_erp_what_is_wrong(erp):
    ran = run_beside(erp, "-c", "from worker.client import Client")

    assert ran.stderr.splitlines()[-1].startswith("ImportError: Python finds the module")
    assert "cannot import name" not in ran.stderr


def test_the_client_tells_it_also_where_the_erp_has_loaded_its_module_before(erp):
    module = next(iter(erp.iterdir())).stem

    ran = run_beside(erp, "-c", f"import {module}; from worker.client import Client")

    assert ran.stderr.splitlines()[-1].startswith("ImportError: Python finds the module")
