"""Tables of scores know which translations they were made from."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from ganlib.errors import InputError
from ganlib.runs import Run
from tests.evaluation.fake_runs import write_fake_run

TABLE = pd.DataFrame({"subject": ["sub-08", "sub-09"], "value": [1.0, 2.0]})


@pytest.fixture
def run(tiny_cohort, tmp_path):
    return write_fake_run(tmp_path / "run", tiny_cohort)


def translate_again(run, value):
    shape = run.synthetic("sub-08", run.directions[0]).shape
    run.write_synthetic([(run.directions[0], name, np.full(shape, value)) for name in ("sub-08", "sub-09")])


def test_a_table_comes_back_as_it_went_in_under_its_name(run):
    run.write_scores(TABLE)
    run.write_scores(TABLE * 2, "realism")
    assert run.scores().equals(TABLE)
    assert run.scores("realism").equals(TABLE * 2)
    assert not TABLE.attrs
    assert not run.scores().attrs


def test_scores_of_other_translations_are_refused(run):
    run.write_scores(TABLE)
    translate_again(run, 5.0)
    with pytest.raises(InputError, match=r"scores\.parquet: older than synthetic\.h5, .* evaluate it again with 03"):
        run.scores()
    run.write_scores(TABLE)
    assert run.scores().equals(TABLE)


def test_the_same_translations_made_again_are_fine(run):
    translate_again(run, 5.0)
    run.write_scores(TABLE)
    translate_again(run, 5.0)
    assert run.scores().equals(TABLE)


def test_a_copied_run_is_fine(run, tmp_path):
    run.write_scores(TABLE)
    copy = shutil.copytree(run.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    assert Run(copy).scores().equals(TABLE)


def test_scores_from_before_there_was_a_stamp_go_by_the_time(run):
    path, synthetic = run.folder / "scores.parquet", run.folder / "synthetic.h5"
    TABLE.to_parquet(path)
    os.utime(synthetic, (1000, 1000))
    os.utime(path, (2000, 2000))
    assert run.scores().equals(TABLE)
    os.utime(synthetic, (3000, 3000))
    with pytest.raises(InputError, match="older than synthetic"):
        run.scores()


def test_scores_without_translations_are_read(run):
    run.write_scores(TABLE)
    (run.folder / "synthetic.h5").unlink()
    assert run.scores().equals(TABLE)
    run.write_scores(TABLE)
    assert run.scores().equals(TABLE)


def test_what_is_missing_or_damaged_is_named(run):
    with pytest.raises(InputError, match=r"regions\.parquet: not found; evaluate the run"):
        run.scores("regions")
    (run.folder / "scores.parquet").write_bytes(b"not a table")
    with pytest.raises(InputError, match=r"scores\.parquet: not readable; evaluate the run anew"):
        run.scores()
