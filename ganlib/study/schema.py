"""Tables of a study database, version 1, and the triggers that make answers append-only."""

from sqlalchemy import (
    DDL,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

VERSION = 1

metadata = MetaData()

version = Table("ganlib_study_version", metadata, Column("version", Integer, primary_key=True))

studies = Table(
    "studies", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("trials", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("organiser_hash", String(64), nullable=False),
    Column("created_utc", String(24), nullable=False),
    Column("closed_utc", String(24)),
)  # fmt: skip

images = Table(
    "images", metadata,
    Column("study_id", ForeignKey("studies.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("pixels", LargeBinary, nullable=False),
)  # fmt: skip

raters = Table(
    "raters", metadata,
    Column("id", Integer, primary_key=True),
    Column("study_id", ForeignKey("studies.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("name", String(80), nullable=False),
    Column("experience", String(20), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("joined_utc", String(24), nullable=False),
    UniqueConstraint("study_id", "number"),
)  # fmt: skip

visits = Table(
    "visits", metadata,
    Column("id", Integer, primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), nullable=False, index=True),
    Column("step", Integer, nullable=False),
    Column("utc", String(24), nullable=False),
)  # fmt: skip

answers = Table(
    "answers", metadata,
    Column("id", Integer, primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("verdict", String(9), nullable=False),
    Column("confidence", Integer, nullable=False),
    Column("response_ms", Float),
    Column("resumed", Boolean, nullable=False),
    Column("answered_utc", String(24), nullable=False),
    UniqueConstraint("rater_id", "step"),
    CheckConstraint("verdict IN ('real', 'synthetic', 'left', 'right')"),
    CheckConstraint("confidence BETWEEN 1 AND 3"),
)  # fmt: skip

_REFUSE = "answers are append-only"
for _deed in ("UPDATE", "DELETE"):
    _sqlite = f"CREATE TRIGGER answers_no_{_deed} BEFORE {_deed} ON answers BEGIN SELECT RAISE(ABORT, '{_REFUSE}'); END"
    event.listen(answers, "after_create", DDL(_sqlite).execute_if(dialect="sqlite"))
event.listen(
    answers, "after_create",
    DDL(
        "CREATE OR REPLACE FUNCTION ganlib_refuse() RETURNS trigger AS $$ "
        f"BEGIN RAISE EXCEPTION '{_REFUSE}'; END $$ LANGUAGE plpgsql"
    ).execute_if(dialect="postgresql"),
)  # fmt: skip
event.listen(
    answers, "after_create",
    DDL(
        "CREATE TRIGGER answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON answers "
        "FOR EACH STATEMENT EXECUTE FUNCTION ganlib_refuse()"
    ).execute_if(dialect="postgresql"),
)  # fmt: skip
