"""How far a home is survives restarts, power cuts and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.commission.book import STEPS, Book, Mark, Outcome, Step
from gateway.commission.found import Found, Kind, found_of
from kwartier.errors import ContractError, InputError

NOW_S = 1_781_431_980
INVERTER = Found("inverter", Kind.SOLAR, "192.0.2.10", 502, 1, "Voorbeeld", "S5", "0042")


def test_it_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    book = Book(tmp_path / "wizard.json", NOW_S)
    book.put(Step.ENROL, Outcome(Mark.LATER, NOW_S, {"state": "unreachable"}))
    book.put(Step.METER, Outcome(Mark.GOOD, NOW_S, {"telegrams": 60}))
    book.put_devices((INVERTER.as_turned(turned=True),))
    book.admit("somebody", NOW_S + 5)
    book.take_press(7)

    again = Book(tmp_path / "wizard.json", NOW_S + 999)

    assert again.next() is Step.DEVICES
    assert again.outcome(Step.METER) == Outcome(Mark.GOOD, NOW_S, {"telegrams": 60})
    assert again.devices == (INVERTER.as_turned(turned=True),)
    assert again.started_s == NOW_S
    assert again.used_s("somebody") == NOW_S + 5
    assert again.used_s("somebody else") is None
    assert again.pressed == 7


def test_sessions_of_an_older_program_have_to_show_the_code_again(tmp_path: Path) -> None:
    path = tmp_path / "wizard.json"
    Book(path, NOW_S).put(Step.METER, Outcome(Mark.GOOD, NOW_S, {}))
    path.write_text(path.read_text().replace('"sessions": []', '"sessions": ["somebody"]'))

    again = Book(path, NOW_S)

    assert again.outcome(Step.METER) is not None
    assert again.used_s("somebody") is None


def test_a_power_cut_in_the_middle_of_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "wizard.json"
    book = Book(path, NOW_S)
    book.put(Step.METER, Outcome(Mark.GOOD, NOW_S, {}))
    whole = path.read_bytes()
    for cut in range(0, len(whole), 7):
        path.with_name("wizard.json.new").write_bytes(whole[:cut])

        assert Book(path, NOW_S).outcome(Step.METER) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"outcomes": 3}', b"\xff\xfe", b"null"])
def test_a_damaged_book_is_set_aside_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wizard.json").write_bytes(content)

    assert Book(tmp_path / "wizard.json", NOW_S).next() is STEPS[0]
    assert (tmp_path / "wizard.damaged").read_bytes() == content


def test_a_book_that_cannot_be_read_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / "wizard.json").mkdir()

    with pytest.raises(InputError, match=r"wizard\.json: cannot be read: Is a directory"):
        Book(tmp_path / "wizard.json", NOW_S)


def test_sessions_are_bounded(tmp_path: Path) -> None:
    book = Book(tmp_path / "wizard.json", NOW_S)
    for number in range(20):
        book.admit(str(number), NOW_S)

    assert [number for number in range(20) if book.used_s(str(number))] == list(range(12, 20))


def test_a_device_is_kept_as_it_was_and_a_wrong_one_refused() -> None:
    assert found_of(INVERTER.as_json()) == INVERTER
    for key in INVERTER.as_json():
        if key != "turned":
            with pytest.raises(ContractError):
                found_of({**INVERTER.as_json(), key: None})
