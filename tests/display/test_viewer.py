import json

import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.display.viewer import CompareViewer, SliceReader, encode
from ganlib.errors import InputError
from ganlib.runs import Direction, Run, RunConfig
from tests.conftest import write_tiny_cohort

FORWARD = Direction("T1w", "T2w")


@pytest.fixture
def cohort(tmp_path):
    with Cohort(write_tiny_cohort(tmp_path / "cohort.h5", slices=3)) as opened:
        yield opened


@pytest.fixture
def make_run(tmp_path, cohort):
    def make(name, subjects=("sub-08", "sub-09"), change=lambda images: 0.9 * images):
        config = RunConfig(
            method=name, method_label=name, cohort="../cohort.h5", cohort_fingerprint=cohort.fingerprint, phantom=True,
            contrasts=("T1w", "T2w"), image_shape=cohort.shape, epochs=1, learning_rate=1e-4,
        )  # fmt: skip
        run = Run.create(tmp_path / name, config, cohort.split())
        run.write_synthetic(
            (direction, subject, change(cohort.images(subject, direction.target)))
            for direction in run.directions
            for subject in subjects
        )
        return run

    return make


def decode(scale, buffer, shape):
    return scale[0] + scale[1] * np.frombuffer(buffer, "<u2").reshape(shape)


class TestEncode:
    @pytest.mark.parametrize(("low", "high"), [(0, 1000), (-3.5, 2.25), (1e6, 1e6 + 1), (0, 1e-6)])
    def test_error_is_at_most_half_a_step(self, low, high):
        image = np.random.default_rng(0).uniform(low, high, (20, 30))
        offset, step, codes = encode(image)
        assert step == pytest.approx((image.max() - image.min()) / 65534)
        assert np.abs(decode((offset, step), codes, image.shape) - image).max() <= step * 0.5001

    def test_ends_of_the_span_are_exact(self):
        offset, step, codes = encode(np.array([[-7.0, 0.0, 93.0]]))
        decoded = decode((offset, step), codes, (1, 3))
        assert decoded[0, 0] == -7
        assert decoded[0, 2] == pytest.approx(93, abs=1e-9)

    def test_constant_image(self):
        offset, step, codes = encode(np.full((4, 4), 12.5))
        assert (decode((offset, step), codes, (4, 4)) == 12.5).all()

    def test_what_is_not_finite_has_its_own_code_and_does_not_spoil_the_rest(self):
        image = np.array([[0.0, np.nan, 10.0], [np.inf, 5.0, -np.inf]])
        offset, step, codes = encode(image)
        values = np.frombuffer(codes, "<u2").reshape(2, 3)
        assert (values == 65535).tolist() == [[False, True, False], [True, False, True]]
        assert decode((offset, step), codes, (2, 3))[1, 1] == pytest.approx(5, abs=step)

    def test_image_without_any_finite_value(self):
        offset, step, codes = encode(np.full((2, 2), np.nan))
        assert (offset, step) == (0, 1)
        assert (np.frombuffer(codes, "<u2") == 65535).all()


class TestSliceReader:
    def test_reads_source_target_each_run_and_the_mask(self, cohort, make_run):
        runs = [make_run("one"), make_run("two", change=lambda images: images + 7)]
        scales, buffers = SliceReader(cohort, runs).read(FORWARD, "sub-08", 2)
        target = cohort.images("sub-08", "T2w")[2]
        expected = [cohort.images("sub-08", "T1w")[2], target, 0.9 * target, target + 7]
        assert len(buffers) == 5
        for scale, buffer, image in zip(scales, buffers[:4], expected, strict=True):
            np.testing.assert_allclose(decode(scale, buffer, image.shape), image, atol=scale[1])
        np.testing.assert_array_equal(
            np.frombuffer(buffers[4], np.uint8).reshape(target.shape), cohort.mask("sub-08")[2]
        )

    def test_the_other_direction_swaps_source_and_target(self, cohort, make_run):
        reader = SliceReader(cohort, [make_run("one")])
        _, forward = reader.read(FORWARD, "sub-08", 0)
        _, backward = reader.read(Direction("T2w", "T1w"), "sub-08", 0)
        assert forward[:2] == backward[1::-1]

    def test_untranslated_subject_leaves_a_gap(self, cohort, make_run):
        runs = [make_run("one", subjects=("sub-08",)), make_run("two")]
        scales, buffers = SliceReader(cohort, runs).read(FORWARD, "sub-09", 0)
        assert scales[2] is None
        assert scales[3] is not None
        assert len(buffers) == 4

    def test_translation_of_another_shape_names_the_file(self, cohort, make_run):
        run = make_run("odd", change=lambda images: images[:, :8])
        with pytest.raises(InputError, match=r"odd/synthetic\.h5: t1w_to_t2w/sub-08 is \(3, 8, 16\).*\(3, 16, 16\)"):
            SliceReader(cohort, [run]).read(FORWARD, "sub-08", 0)

    @pytest.mark.parametrize("index", [-1, 3])
    def test_slice_that_is_not_there(self, cohort, make_run, index):
        with pytest.raises(InputError, match=f"sub-08' has 3 slices, no slice {index}"):
            SliceReader(cohort, [make_run("one")]).read(FORWARD, "sub-08", index)

    def test_a_subject_is_read_from_disk_once_while_there_is_room(self, cohort, make_run, monkeypatch):
        reader = SliceReader(cohort, [make_run("one")])
        reads = count_reads(cohort, monkeypatch)
        for index in (0, 1, 2, 0):
            reader.read(FORWARD, "sub-08", index)
        assert reads == ["T1w", "T2w"]

    def test_memory_stays_within_its_capacity(self, cohort, make_run, monkeypatch):
        reader = SliceReader(cohort, [make_run("one")], capacity_bytes=4 * 3 * 16 * 16 * 4)
        reads = count_reads(cohort, monkeypatch)
        for subject in ("sub-08", "sub-09", "sub-08"):
            reader.read(FORWARD, subject, 0)
            assert sum(volume.nbytes for volume in reader._volumes.values()) <= reader.capacity_bytes
        assert len(reads) == 6

    def test_field_holds_the_masks_with_a_margin(self, cohort):
        rows, columns = np.nonzero(cohort.mask("sub-08").any(axis=0))
        top, bottom, left, right = SliceReader(cohort, []).field(["sub-08"])
        assert 0 <= top < rows.min() <= rows.max() < bottom <= 16
        assert 0 <= left < columns.min() <= columns.max() < right <= 16
        assert rows.min() - top <= 3

    def test_field_without_subjects_is_the_whole_slice(self, cohort):
        assert SliceReader(cohort, []).field([]) == [0, 16, 0, 16]


class TestAnswers:
    @pytest.fixture
    def sent(self, cohort, make_run, monkeypatch):
        """What the viewer answers to a request."""
        answers = []
        viewer = CompareViewer(
            SliceReader(cohort, [make_run("one")]), [FORWARD], {}, lambda: {"scores": {}, "notes": []}
        )
        monkeypatch.setattr(viewer, "send", lambda content, buffers: answers.append((content, buffers)))

        def ask(**request):
            viewer._answer(viewer, request, [])
            json.dumps(answers[-1][0])  # what cannot be JSON would never arrive
            return answers[-1]

        return ask

    def test_slice(self, sent):
        content, buffers = sent(kind="slice", key="k", direction="t1w_to_t2w", subject="sub-08", slice=1)
        assert content["kind"] == "slice"
        assert content["key"] == "k"
        assert [len(buffer) for buffer in buffers] == [512, 512, 512, 256]

    def test_ping_and_scores(self, sent):
        assert sent(kind="ping", key="ping") == ({"kind": "pong", "key": "ping"}, [])
        assert sent(kind="scores", key="scores")[0] == {"kind": "scores", "scores": {}, "notes": [], "key": "scores"}

    def test_every_failure_is_answered_in_words(self, sent):
        content, buffers = sent(kind="slice", key="k", direction="t1w_to_t2w", subject="sub-77", slice=0)
        assert content["kind"] == "failure"
        assert "no subject 'sub-77'" in content["text"]
        assert buffers == []
        assert (
            "unexpected KeyError" in sent(kind="slice", key="k", direction="up", subject="sub-08", slice=0)[0]["text"]
        )


def count_reads(cohort, monkeypatch):
    reads = []
    images = cohort.images
    monkeypatch.setattr(cohort, "images", lambda subject, contrast: reads.append(contrast) or images(subject, contrast))
    return reads
