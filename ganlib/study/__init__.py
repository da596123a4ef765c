"""The perceptual study: trial lists, the answers' database, the rater's session, and what the answers are worth."""

from ganlib.study.create import create_study
from ganlib.study.database import StudyDatabase
from ganlib.study.design import StudyDesign, study_design
from ganlib.study.session import RatingSession
from ganlib.study.study import Study, study_names

__all__ = ["RatingSession", "Study", "StudyDatabase", "StudyDesign", "create_study", "study_design", "study_names"]
