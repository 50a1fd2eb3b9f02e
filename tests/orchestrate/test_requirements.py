"""Dagster's environment has exact versions, and the release that the code is written for."""

from __future__ import annotations

import re

from tests.support.described import read


def test_dagster_is_pinned_with_all_that_it_needs() -> None:
    lines = read("orchestrate/requirements.txt").splitlines()
    pins = [line.partition(" ")[0] for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins)
    release = {pin.rpartition(".")[0] for pin in pins if pin.startswith("dagster")}
    assert {"dagster==1.13", "dagster-webserver==1.13"} <= release
