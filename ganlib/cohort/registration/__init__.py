"""Registration of raw volumes, so that they can become a cohort. Needs the extra `registration` (SimpleITK).

A subject's contrasts are brought onto one of them, or all onto the MNI152 template, by rigid or affine transforms:
found by mutual information, or given as files. Nothing here bends: what differs by more than an affine (a tumour that
grew between two scans, distortion) stays different.
"""

from ganlib.cohort.registration.folder import RegistrationReport, register_folder
from ganlib.cohort.registration.settings import RegistrationSettings

__all__ = ["RegistrationReport", "RegistrationSettings", "register_folder"]
