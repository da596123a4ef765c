"""Sources: which files belong to which subject, one file per layout. Everything is listed before a voxel is read."""

from ganlib.cohort.sources.bids import BidsSource
from ganlib.cohort.sources.brats import BratsSource
from ganlib.cohort.sources.folder import FolderSource
from ganlib.cohort.sources.hcp import HcpSource
from ganlib.cohort.sources.ixi import IxiSource
from ganlib.cohort.sources.listing import Listing, Source, SubjectFiles
from ganlib.cohort.sources.report import report

#: Source of every layout, by the name that notebooks and the command line use.
LAYOUTS = {
    "folder": FolderSource,
    "pattern": FolderSource,
    "bids": BidsSource,
    "hcp": HcpSource,
    "ixi": IxiSource,
    "brats": BratsSource,
}

__all__ = [
    "LAYOUTS",
    "BidsSource",
    "BratsSource",
    "FolderSource",
    "HcpSource",
    "IxiSource",
    "Listing",
    "Source",
    "SubjectFiles",
    "report",
]
