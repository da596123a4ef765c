"""What the phantom is made of: proton density, T1 and T2 of each tissue at 3 T, and where each number is from.

- White and grey matter, T1 and T2: Wansapura et al. 1999, J Magn Reson Imaging 9:531 (3 T, both from one study; the
  literature on T1 spreads from 0.6 to 1.1 s in white matter alone: Assländer 2024, arXiv:2409.05318).
- CSF, T1 and T2: subarachnoid space at 3 T, 4309 and 1886 ms (PMC10696635; the frontal horns have 4454 and 2373 ms).
- Proton density: 70 % and 82 % of water's in white and grey matter, Tofts 2003, Quantitative MRI of the Brain.
- Deep grey matter, T2: iron shortens it. R2 rises by 0.62 /s per mg of iron in 100 g, the slope between prefrontal
  cortex (14.4 /s) and pallidum (25.8 /s) in Gelman et al. 1999, Radiology 210:759 (3 T); iron of the nuclei from
  Hallgren & Sourander 1958, J Neurochem 3:41 (cortex 2.9, thalamus 4.8, caudate 9.3, putamen 13.3, pallidum
  21.3 mg/100 g). The rise is added to the R2 of grey matter above.
- Caudate and putamen, T1: their ratio to grey matter, 0.87 and 0.83, in Wright et al. 2008, MAGMA 21:121 (3 T).
- Assumed, not measured: T1 of thalamus and pallidum, and the density of all four nuclei, between grey and white
  matter as their T1-weighted brightness asks.
"""

from typing import NamedTuple


class Tissue(NamedTuple):
    """A tissue at 3 T."""

    name: str
    label: int
    density: float
    t1_ms: float
    t2_ms: float


#: Codes of a phantom's label maps.
LABEL_NAMES = {1: "CSF", 2: "grey matter", 3: "white matter"}

#: Rise of R2 with iron at 3 T, in /s per mg of iron in 100 g: (25.8 - 14.4) / (21.3 - 2.9).
R2_RISE_PER_IRON = 0.62

#: In this order wherever an array has a tissue axis.
TISSUES = (
    Tissue("csf", 1, 1.00, 4309.0, 1886.0),
    Tissue("cortex", 2, 0.82, 1331.0, 110.0),
    Tissue("white_matter", 3, 0.70, 832.0, 79.6),
    Tissue("thalamus", 2, 0.78, 1080.0, 97.4),
    Tissue("caudate", 2, 0.81, 1155.0, 76.6),
    Tissue("putamen", 2, 0.80, 1103.0, 64.4),
    Tissue("pallidum", 2, 0.75, 930.0, 48.8),
)

#: Position of each tissue in `TISSUES`.
INDEX = {tissue.name: number for number, tissue in enumerate(TISSUES)}
