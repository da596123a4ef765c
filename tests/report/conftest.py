"""A browser to open reports in."""

from tests.dashboards.conftest import chromium  # noqa: F401, a fixture
