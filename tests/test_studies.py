"""The studies of docs/findings.md: their specifications, and what becomes of their runs."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rnnlab.sweep.expansion import expand
from rnnlab.sweep.resolve import resolve
from rnnlab.sweep.specification import read_specification

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ROOT / "experiments" / "studies"
NAMES = sorted(path.stem for path in STUDIES.glob("*.yaml"))


@pytest.fixture(scope="module")
def findings():
    spec = importlib.util.spec_from_file_location("findings", STUDIES / "findings.py")
    module = sys.modules["findings"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["findings"]


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_of_a_study_has_a_good_config_and_five_seeds(name):
    blocks = read_specification(STUDIES / f"{name}.yaml")
    assert all(block.seeds == (0, 1, 2, 3, 4) for block in blocks)
    assert expand(tuple(replace(block, seeds=(0,)) for block in blocks), resolve)


def test_each_study_is_run_by_make_and_has_its_table_and_picture_in_the_findings(findings):
    assert sorted(study.__name__ for study in findings.STUDIES) == NAMES
    assert sorted(re.search("^STUDIES := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()) == NAMES
    document = (ROOT / "docs" / "findings.md").read_text()
    assert sorted(re.findall(r"<!-- (\w+) -->\n\| ", document)) == NAMES
    pictures = re.findall(r"\]\((pictures/study_\w+\.png)\)", document)
    assert len(pictures) == 7
    assert all((ROOT / "docs" / picture).is_file() for picture in pictures)


def test_a_table_takes_the_place_of_the_one_before_and_of_nothing_else(findings):
    document = "a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\nkept\n<!-- end -->\n"
    replaced = findings.with_table(document, "one", pd.DataFrame({"x": [1]}))
    assert replaced == "a\n<!-- one -->\n|   x |\n| --: |\n|   1 |\n<!-- end -->\nb\n<!-- two -->\nkept\n<!-- end -->\n"
    with pytest.raises(ValueError, match="three"):
        findings.with_table(document, "three", pd.DataFrame({"x": [1]}))


def test_a_mean_stands_with_half_its_interval(findings):
    assert findings.mean([1.0, 2.0, 3.0]) == "2.00 ± 2.5"  # t(0.975, 2) = 4.303; sd 1
