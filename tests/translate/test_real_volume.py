"""T1w to T2w on a real brain, by a model that was trained briefly: where it lies matters here, not how it looks."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.sources import BidsSource
from ganlib.evaluation.placement import placement
from ganlib.notebook import run_notebook
from ganlib.training.fit import train

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def executed(shared_data, tmp_path_factory):
    """Notebook 7 on patient ms07, with a network that learned for some epochs from ms19.

    Not the other way round: a network learns its pair's misregistration, and ms07's T2w lies 0.1 to 0.15 voxels behind
    its T1w, where ms19's lies within 0.05 of it in the slice. After 8 epochs the result is still a blur whose place
    cannot be told to a quarter of a voxel.
    """
    folder = tmp_path_factory.mktemp("real")
    settings = ImportSettings(
        slice_mm=(-20, 50), slice_step_mm=5, validation=0, split={"sub-ms19": "train", "sub-ms07": "test"}
    )
    source = BidsSource(str(shared_data / "lit-ms-mni"), ["T1w", "T2w"])
    import_cohort(source, folder / "cohort.h5", settings, progress=False)
    small = {"base_filters": 8, "num_residual_blocks": 2}
    run = train(
        folder / "cohort.h5", folder / "run", {"method": "generators_s", "epochs": 15, "options": small}, progress=False
    )
    volumes = shared_data / "lit-ms-mni" / "sub-ms07" / "anat"
    source_path, target = (volumes / f"sub-ms07_space-MNI152_{name}.nii.gz" for name in ("T1w", "T2w"))
    parameters = {"run": str(run.folder), "source": str(source_path), "target": str(target),
                  "output": str(folder / "out" / "synthetic_T2w.nii.gz")}  # fmt: skip
    run_notebook(ROOT / "notebooks" / "07_translate_volumes.ipynb", folder / "07.ipynb", parameters)
    return source_path, target, folder


@pytest.mark.slow
@pytest.mark.real_data
def test_lies_voxel_for_voxel_on_its_source(executed):
    source, _, folder = executed
    found = placement(source, folder / "out" / "synthetic_T2w.nii.gz")
    print(found)
    assert found.same_place
    assert np.abs(found.shift_voxels).max() < 0.25


@pytest.mark.slow
@pytest.mark.real_data
def test_is_nearer_to_the_real_t2w_than_the_source_is(executed):
    import nibabel as nib

    source, target, folder = executed
    real, made, before = (nib.load(path).get_fdata() for path in (target, folder / "out/synthetic_T2w.nii.gz", source))
    inside = real > 0
    assert np.corrcoef(real[inside], made[inside])[0, 1] > np.corrcoef(real[inside], before[inside])[0, 1] + 0.2


@pytest.mark.slow
@pytest.mark.real_data
def test_opens_in_the_viewer_of_the_notebook(executed):
    cells = nbformat.read(executed[2] / "07.ipynb", 4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    pages = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    viewers = [page for page in pages if "brainsprite" in page]
    assert len(viewers) == 1
    assert "data:image/png;base64" in viewers[0] or "data:image/jpeg;base64" in viewers[0]
    assert not any(address in viewers[0] for address in ('src="http', "src='http"))
    assert any("image/png" in output.get("data", {}) for output in outputs)
