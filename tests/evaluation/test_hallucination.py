"""Planted lesions: kept, erased, invented; what must not matter, and what must."""

import numpy as np
import pytest

from ganlib.evaluation import hallucination as search

MM = (2.0, 2.0, 3.0)
SHAPE = (1, 60, 60)
ROWS, COLUMNS = np.mgrid[:60, :60]
#: Healthy tissue is a disc; its grain has this standard deviation.
TISSUE = (np.hypot(ROWS - 30, COLUMNS - 30) < 27)[None]
GRAIN = 0.02


def disc(row, column, radius=3):
    return (np.hypot(ROWS - row, COLUMNS - column) <= radius)[None]


#: Two lesions of the truth, 29 voxels of 4 mm² each.
TRUTH = disc(20, 22) | disc(40, 36)
CONTRASTS = (0.30, 0.20)


def image(*planted, seed=0):
    """Healthy tissue with grain, and discs of stated contrast planted into it."""
    picture = 0.5 + GRAIN * np.random.default_rng(seed).standard_normal(SHAPE)
    for region, contrast in planted:
        picture = picture + contrast * region
    return np.where(TISSUE, picture, 0.0)


def real():
    return image((disc(20, 22), CONTRASTS[0]), (disc(40, 36), CONTRASTS[1]))


def numbered():
    return search.lesion_components(TRUTH, voxel_mm=MM)


def contrasts(synthetic, target=None):
    target = real() if target is None else target
    return search.lesion_contrasts(target, synthetic, numbered(), tissue=TISSUE & ~TRUTH, voxel_mm=MM)


def counts(picture, *, lesions=None, thresholds=(4.0,), **options):
    lesions = numbered() if lesions is None else lesions
    room = search.search_room(TISSUE, lesions)
    spread = search.spread_of(search.departures(image(seed=1), room, voxel_mm=MM)[room])
    deviations = search.departures(picture, room, voxel_mm=MM) / spread
    return search.free_response(deviations, lesions, voxel_mm=MM, thresholds=thresholds, **options)


def test_components_are_numbered_and_specks_left_out():
    speck = disc(10, 40, radius=1)  # 5 voxels, 20 mm²
    found = search.lesion_components(TRUTH | speck, voxel_mm=MM)
    assert found.max() == 2
    assert np.array_equal(found > 0, TRUTH)
    assert search.lesion_components(TRUTH | speck, voxel_mm=MM, smallest_mm2=20).max() == 3


def test_components_join_through_slices_and_their_largest_cross_section_counts():
    stack = np.concatenate([disc(20, 22, 1), disc(20, 22, 3), disc(20, 22, 1)])
    assert search.lesion_components(stack, voxel_mm=MM).max() == 1


def test_a_lesion_that_is_kept_keeps_its_contrast():
    found = contrasts(real())
    assert [each.contrast_real for each in found] == pytest.approx(CONTRASTS, abs=0.02)
    assert [each.recovered for each in found] == [1, 1]
    assert not any(each.erased for each in found)
    assert found[0].largest_mm2 == 29 * 4


@pytest.mark.parametrize(("kept", "erased"), [(0.0, True), (0.4, True), (0.6, False), (1.5, False), (-1.0, True)])
def test_a_lesion_that_fades_is_erased_below_half_of_its_contrast(kept, erased):
    first, second = contrasts(image((disc(20, 22), kept * CONTRASTS[0]), (disc(40, 36), CONTRASTS[1])))
    assert first.recovered == pytest.approx(kept, abs=0.05)
    assert first.erased == erased
    assert second.recovered == pytest.approx(1, abs=0.05)


def test_a_lesion_is_measured_by_what_is_near_it_and_not_by_other_lesions_or_the_rest_of_the_image():
    before = contrasts(real())
    elsewhere = real() + np.where(disc(40, 36, 5) | ~TISSUE, 5.0, 0.0)
    assert contrasts(elsewhere)[0] == pytest.approx(before[0])
    assert contrasts(elsewhere)[1].recovered > 3


def test_offset_does_not_matter_and_gain_does():
    assert [each.recovered for each in contrasts(real() + 7)] == pytest.approx([1, 1])
    assert [each.recovered for each in contrasts(1.5 * real())] == pytest.approx([1.5, 1.5])
    assert counts(np.where(TISSUE, real() + 7, 0)) == counts(real())


def test_the_search_finds_what_is_there_and_nothing_else():
    assert counts(real()) == [search.Counts(4.0, found=2, invented=0)]
    assert counts(image()) == [search.Counts(4.0, found=0, invented=0)]


def test_an_invented_lesion_is_counted_by_itself():
    added = image((disc(20, 22), 0.3), (disc(40, 36), 0.2), (disc(18, 40), 0.3))
    assert counts(added) == [search.Counts(4.0, found=2, invented=1)]
    swapped = image((disc(18, 40), 0.3), (disc(42, 20), 0.3))
    assert counts(swapped) == [search.Counts(4.0, found=0, invented=2)]


def test_a_healthy_subject_has_lesions_to_invent_only():
    nobody = np.zeros(SHAPE, int)
    assert counts(image((disc(18, 40), 0.3)), lesions=nobody) == [search.Counts(4.0, found=0, invented=1)]
    assert contrasts_of_nobody() == []


def contrasts_of_nobody():
    return search.lesion_contrasts(real(), real(), np.zeros(SHAPE, int), tissue=TISSUE, voxel_mm=MM)


def test_what_touches_a_lesion_that_does_not_count_is_neither_found_nor_invented():
    assert counts(real(), counted=[1]) == [search.Counts(4.0, found=1, invented=0)]


def test_brightness_outside_the_tissue_is_not_searched():
    outside = real() + 5.0 * ~TISSUE
    assert counts(outside) == counts(real())


def test_higher_thresholds_find_and_invent_less():
    picture = image((disc(20, 22), 0.3), (disc(40, 36), 0.1), (disc(18, 40), 0.15), (disc(42, 18), 0.05))
    response = counts(picture, thresholds=(2, 4, 8, 16, 64))
    assert [each.found for each in response] == sorted((each.found for each in response), reverse=True)
    assert response[0].found == 2
    assert response[0].invented >= response[1].invented >= 1
    assert (response[-1].found, response[-1].invented) == (0, 0)


def test_the_spread_is_that_of_normal_values_and_blind_to_a_few_odd_ones():
    values = 3 * np.random.default_rng(0).standard_normal(20_000)
    assert search.spread_of(values) == pytest.approx(3, rel=0.03)
    assert search.spread_of(np.append(values, [1e6] * 50)) == pytest.approx(3, rel=0.03)


def test_errors():
    with pytest.raises(ValueError, match="shapes differ"):
        contrasts(real()[:, :-1])
    with pytest.raises(ValueError, match=r"synthetic image: .* NaN"):
        contrasts(real() * np.nan)
    with pytest.raises(ValueError, match="no healthy tissue to compare lesions with"):
        search.lesion_contrasts(real(), real(), numbered(), tissue=np.zeros(SHAPE, bool), voxel_mm=MM)
    with pytest.raises(ValueError, match="no healthy tissue to search"):
        search.departures(real(), np.zeros(SHAPE, bool), voxel_mm=MM)
    with pytest.raises(ValueError, match=r"searched image: .* NaN"):
        search.departures(real() * np.nan, TISSUE, voxel_mm=MM)
