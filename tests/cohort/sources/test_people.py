import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlib.cohort.sources.people import PeopleTable, read_table
from ganlib.errors import InputError


@pytest.fixture
def table(tmp_path):
    def write(text, name="people.csv"):
        (tmp_path / name).write_text(text)
        return PeopleTable([tmp_path / name], "id")

    return write


def test_relatives_are_whoever_shares_any_cell_directly_or_through_others(table):
    people = table(
        "id,family,mother,father\na,F1,m1,p1\nb,F1,m1,p1\nc,F2,m1,p2\nd,F3,m3,p2\ne,F4,m4,p4\nf,n/a,,\n"
    ).people({i: i for i in "abcdef"}, families=["family", "mother", "father"])
    # c is a half-sibling of a by the mother, and of d by the father.
    assert [people[i].family for i in "abcdef"] == ["F1", "F1", "F1", "F1", "F4", None]


def test_equal_cells_of_different_columns_tie_nobody(table):
    people = table("id,mother,father\na,1,2\nb,2,1\n").people({"a": "a", "b": "b"}, families=["mother", "father"])
    assert people["a"].family != people["b"].family


def test_a_person_missing_from_the_table_is_in_trouble(table):
    people = table("id,family\na,F\n").people({"a": "a", "x": "x"}, families=["family"])
    assert people["a"].trouble is None
    assert people["x"].trouble[0] == "no row in people.csv"
    assert "no row for subject 'x'; add it, with its family" in people["x"].trouble[1]


def test_two_different_rows_of_one_person_are_refused_and_equal_ones_not(table):
    with pytest.raises(InputError, match="'a' has two sites, 'A' and 'B'; keep one"):
        table("id,site\na,A\na,B\n").people({"a": "a"}, site="site")
    assert table("id,site\na,A\na,A\n").people({"a": "a"}, site="site")["a"].site == "A"


def test_a_column_whose_name_breaks_the_line_is_shown_in_ascii(table):
    with pytest.raises(InputError, match=r"columns are id, 'two\\nlines'$"):
        table('id,"two\nlines"\na,b\n').column("Family", "families")


def test_a_wide_table_does_not_make_a_long_message(table):
    with pytest.raises(InputError, match=r"no column 'Family'; its columns are id, c0, .* and 489 more"):
        table("id," + ",".join(f"c{number}" for number in range(500)) + "\n").column("Family", "families")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), tabs=st.booleans())
def test_any_bytes_are_a_table_or_refused_in_one_line(tmp_path, raw, tabs):
    path = tmp_path / ("t.tsv" if tabs else "t.csv")
    path.write_bytes(raw)
    try:
        columns, rows = read_table(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(set(row) == set(columns) for row in rows)
