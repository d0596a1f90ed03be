"""What lies in examples/ is what its generator makes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / "examples" / "reports"


def test_the_generator_makes_the_committed_world_again(tmp_path: Path) -> None:
    told = json.loads((REPORTS / "world.json").read_text(encoding="utf-8"))
    arguments = ["--numbers", str(told["numbers"]), "--seed", str(told["seed"]), "--today", told["today"], "--packed"]
    subprocess.run(
        [sys.executable, str(ROOT / "examples" / "make_reports.py"), *arguments, "--out", str(tmp_path)],
        check=True, timeout=120, env={"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert json.loads((tmp_path / "world.json").read_text(encoding="utf-8")) == told
    assert (tmp_path / "holds.csv").read_bytes() == (REPORTS / "holds.csv").read_bytes()
    # Contents, not bytes: zlib and Parquet writers may differ between machines.
    for name in ("truth.parquet", "cbn.parquet"):
        assert pq.read_table(tmp_path / name).equals(pq.read_table(REPORTS / name))
    for name in ("cmcc.csv.gz", "cucc.csv.gz", "ctcc.csv.gz"):
        assert unpacked(tmp_path / name) == unpacked(REPORTS / name)


def test_the_committed_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in REPORTS.iterdir()) < 3_000_000
    assert pa_csv.read_csv(REPORTS / "holds.csv").column_names == ["number"]


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())
