"""Parties and what is theirs: sealed at rest, told on request, gone when nothing needs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, inspect, text, update

from api.cooperative.books import Journal, post
from api.cooperative.chain import verify_chains
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series, issue
from api.cooperative.errors import (
    BooksError,
    ConflictError,
    NotAllowedError,
    StateError,
    TamperedError,
)
from api.cooperative.officers import Officer, Role
from api.cooperative.registry import (
    ERASED_NAME,
    Connection,
    OfficerTerm,
    Party,
    PartyKind,
    Purpose,
    Sequence,
    VatStatus,
    VoteClass,
    add_connection,
    add_member,
    add_party,
    change_party,
    connection,
    end_mandate,
    end_member,
    end_ownership,
    erase,
    export,
    first_officers,
    give_consent,
    iban_of,
    mandate_of,
    may_use,
    memberships,
    own,
    party,
    party_part,
    propose_iban,
    recognise,
    renew_secret,
    set_vat_status,
    sign_mandate,
    use_mandate,
    vat_status,
    voters,
    withdraw_consent,
)
from api.cooperative.registry.payout_book import accounts_as_logged
from api.cooperative.tables.registry import PartyRow, PayoutAccountRow
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.ledger import Account, Entry, Line
from tests.api.cooperative.neighbours import (
    HOME,
    IBAN,
    OTHER_IBAN,
    approve_all,
    ean_of,
    midnight_s,
    resident,
    settle_in,
)


def test_personal_fields_lie_sealed_in_every_table_and_in_the_audit_log(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        sign_mandate(desk, "a", "ZON-1", IBAN, date(2026, 6, 20))
        propose_iban(desk, "a", OTHER_IBAN)
        give_consent(desk, "a", "a", Purpose.SETTLEMENT, 0, "formulier van J. de Vries")
        ean = connection(desk, "a").ean

    stored = _everything(books)
    for personal in ("Vries", "Zonlaan", "2611", "voorbeeld", IBAN, OTHER_IBAN, ean):
        assert personal not in stored


def test_the_same_party_twice_is_one_and_another_of_its_id_is_refused(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        add_party(desk, resident("a"))
        add_party(desk, resident("a"))
        with pytest.raises(ConflictError, match="another name") as refused:
            add_party(desk, resident("a", "P. Jansen"))

        assert party(desk, "a") == resident("a")
    assert "Jansen" not in str(refused.value)
    assert "Vries" not in str(refused.value)


def test_a_paper_tells_of_a_party_as_it_stood_to_vat_on_its_day(
    books: Books, treasurer: Officer
) -> None:
    school = Party("school", PartyKind.SCHOOL, "De Regenboog", HOME, vat_number="NL123456782B90")
    with books.desk(treasurer) as desk:
        add_party(desk, school)
        set_vat_status(desk, "school", VatStatus.REGISTERED, date(2026, 7, 1))
        set_vat_status(desk, "school", VatStatus.KOR, date(2026, 10, 1))

        assert vat_status(desk, "school", date(2026, 6, 30)) is VatStatus.NONE
        assert vat_status(desk, "school", date(2026, 7, 1)) is VatStatus.REGISTERED
        assert party_part(desk, "school", date(2026, 10, 1)).vat_status == "kor"
        assert party_part(desk, "school").vat_status == "registered"
        assert party_part(desk, "school").vat_number == "NL123456782B90"
        with pytest.raises(BooksError, match="needs a VAT number"):
            add_party(desk, replace(resident("b"), vat_status=VatStatus.REVERSE_CHARGE))


ANNA = resident("a")
HOSTILE: tuple[tuple[str, Callable[[], Party]], ...] = (
    ("", lambda: replace(ANNA, name="")),
    ("HYPERLINK", lambda: replace(ANNA, name="=HYPERLINK(1)")),
    ("Jan", lambda: replace(ANNA, name="Jan\u202ede Vries")),
    ("Jan", lambda: replace(ANNA, name="Jan\x00")),
    ("nobody", lambda: replace(ANNA, email="nobody")),
    ("123456789", lambda: replace(ANNA, vat_number="NL123456789B01")),
    ("1234567", lambda: replace(ANNA, kvk="1234567")),
    ("12345678901234567890", lambda: replace(ANNA, oin="12345678901234567890")),
    ("nl", lambda: replace(ANNA, address=replace(HOME, country="nl"))),
    ("", lambda: replace(ANNA, address=replace(HOME, town=""))),
    ("", lambda: replace(ANNA, id="Jan de Vries")),
)


@pytest.mark.parametrize(("personal", "made"), HOSTILE)
def test_a_field_that_is_no_such_thing_is_refused_without_telling_it(
    personal: str, made: Callable[[], Party]
) -> None:
    with pytest.raises(ContractError) as refused:
        made()

    assert not personal or personal not in str(refused.value)


def test_the_auditor_writes_nothing(books: Books, auditor: Officer) -> None:
    with books.desk(auditor) as desk:
        with pytest.raises(NotAllowedError):
            add_party(desk, resident("a"))
        with pytest.raises(NotAllowedError):
            export(desk, "a")


def test_an_ean_belongs_to_one_connection_and_its_fuse_gives_its_limit(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        add_connection(desk, Connection("a", ean_of(1), "greenchoice", 35, 1))
        with pytest.raises(ConflictError, match="belongs to a already") as refused:
            add_connection(desk, Connection("b", ean_of(1), "greenchoice"))
        with pytest.raises(ContractError, match="check digit"):
            Connection("c", ean_of(1)[:-1] + str((int(ean_of(1)[-1]) + 1) % 10), "greenchoice")

        # 35 A on one phase of 230 V.
        assert connection(desk, "a").limit_w == 8050
    assert ean_of(1) not in str(refused.value)


def test_a_member_has_one_vote_whatever_it_has(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b", "c")
        for home in ("a", "b"):
            own(desk, home, "a", date(2026, 1, 1))
        add_member(desk, "a", date(2026, 1, 1))
        add_member(desk, "b", date(2026, 1, 1), VoteClass.SUPPORTER)
        add_member(desk, "c", date(2026, 1, 1))
        add_member(desk, "c", date(2026, 1, 1))
        end_member(desk, "c", date(2026, 7, 1))
        with pytest.raises(ConflictError):
            add_member(desk, "a", date(2026, 6, 1))

        assert voters(desk, date(2026, 6, 30)) == ["a", "c"]
        assert voters(desk, date(2026, 7, 1)) == ["a"]
        assert len(memberships(desk, "c")) == 1


def test_the_first_collection_is_first_and_the_next_ones_recurrent(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        sign_mandate(desk, "a", "ZON-1", "NL91 ABNA 0417 1643 00", date(2026, 6, 20))
        first = mandate_of(desk, "a", date(2026, 8, 25))
        use_mandate(desk, "ZON-1", date(2026, 8, 25))
        second = mandate_of(desk, "a", date(2026, 9, 25))

        assert first is not None
        assert second is not None
        assert (first.iban, first.sequence, second.sequence) == (
            IBAN,
            Sequence.FIRST,
            Sequence.RECURRENT,
        )
        assert mandate_of(desk, "a", date(2026, 6, 19)) is None
        # Not used for 36 months, a mandate lapses.
        assert mandate_of(desk, "a", date(2029, 8, 24)) is not None
        assert mandate_of(desk, "a", date(2029, 8, 25)) is None


def test_a_mandate_ends_on_its_day_and_a_new_one_takes_its_place(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        sign_mandate(desk, "a", "ZON-1", IBAN, date(2026, 6, 20))
        sign_mandate(desk, "a", "ZON-1", IBAN, date(2026, 6, 20))
        with pytest.raises(ConflictError, match="has mandate ZON-1 already"):
            sign_mandate(desk, "a", "ZON-2", OTHER_IBAN, date(2026, 7, 1))
        with pytest.raises(ConflictError, match="use another reference"):
            sign_mandate(desk, "b", "ZON-1", IBAN, date(2026, 6, 20))
        for reference in ("x" * 36, "met spatie", "/x", "x//y", "é", ""):
            with pytest.raises(ContractError):
                sign_mandate(desk, "b", reference, IBAN, date(2026, 6, 20))
        with pytest.raises(ContractError, match="IBAN is not right"):
            sign_mandate(desk, "b", "ZON-3", "NL91ABNA0417164301", date(2026, 6, 20))
        end_mandate(desk, "ZON-1", date(2026, 8, 1))
        sign_mandate(desk, "a", "ZON-2", OTHER_IBAN, date(2026, 7, 1))

        held = mandate_of(desk, "a", date(2026, 8, 1))
        assert held is not None
        assert held.reference == "ZON-2"


def test_an_account_to_pay_on_counts_once_a_second_person_approved_it(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        propose_iban(desk, "a", IBAN)
        assert iban_of(desk, "a") is None
    approve_all(books, board)
    with books.desk(treasurer) as desk:
        propose_iban(desk, "a", OTHER_IBAN)
        assert iban_of(desk, "a") == IBAN
    approve_all(books, board)

    with books.reading(treasurer) as desk:
        assert iban_of(desk, "a") == OTHER_IBAN


def test_an_approved_account_that_was_swapped_in_the_database_is_not_paid_on(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        propose_iban(desk, "a", IBAN)
    approve_all(books, board)
    with books.desk(treasurer) as desk:
        desk.session.execute(update(PayoutAccountRow).values(iban=desk.keys.seal(OTHER_IBAN)))

    with books.reading(treasurer) as desk, pytest.raises(TamperedError):
        iban_of(desk, "a")


def test_a_consent_is_for_one_purpose_and_ends_when_it_is_withdrawn(
    books: Books, treasurer: Officer
) -> None:
    start_s, end_s = midnight_s("2026-07-01"), midnight_s("2026-07-20")
    with books.desk(treasurer) as desk:
        settle_in(desk, "a")
        give_consent(desk, "a", "a", Purpose.STEERING, start_s, "form 12")
        with pytest.raises(ConflictError):
            give_consent(desk, "a", "a", Purpose.STEERING, start_s, "form 13")
        withdraw_consent(desk, "a", "a", Purpose.STEERING, end_s)

        assert not may_use(desk, "a", Purpose.STEERING, start_s - 1)
        assert may_use(desk, "a", Purpose.STEERING, end_s - 1)
        assert not may_use(desk, "a", Purpose.STEERING, end_s)
        assert not may_use(desk, "a", Purpose.RESEARCH, start_s)


def test_a_party_is_told_everything_and_then_erased_without_breaking_a_chain(
    books: Books, treasurer: Officer, board: Officer, clock: VirtualClock
) -> None:
    with books.desk(treasurer) as desk:
        _live_here(desk)
        with pytest.raises(StateError) as refused:
            erase(desk, "a")
        told = export(desk, "a")
    for need in ("member end", "own end", "mandate end", "its account is not settled"):
        assert need in str(refused.value)
    for personal in ("J. de Vries", IBAN, ean_of(97), "F2026-"):
        assert personal in json.dumps(told)

    with books.desk(treasurer) as desk:
        end_member(desk, "a", date(2026, 8, 1))
        end_ownership(desk, "a", date(2026, 8, 1))
        end_mandate(desk, "ZON-1", date(2026, 8, 1))
        _book(desk, "paid", "bank:main", "receivable:a")
        kept = erase(desk, "a")
        kept_again = erase(desk, "a")
        known = party(desk, "a")

    # A paper of 2026 is kept for 7 years; a mandate 14 months after its signature.
    assert {(each.what[:8], each.until) for each in kept} == {
        ("paper F2", date(2034, 1, 1)),
        ("mandate ", date(2027, 8, 20)),
    }
    assert kept_again == kept
    assert (known.name, known.email, known.address.street) == (ERASED_NAME, "", "")
    clock.advance(400 * 86400)
    with books.desk(treasurer) as desk:
        assert [each.what[:5] for each in erase(desk, "a")] == ["paper"]
        assert IBAN not in json.dumps(export(desk, "a"))
        assert verify_chains(desk) == []
        with pytest.raises(BooksError, match="was erased"):
            change_party(desk, resident("a"))


def test_what_changed_is_told_to_the_log_by_name_of_the_field_only(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        add_party(desk, resident("a"))
        changed = change_party(desk, resident("a", "J. de Vries-Bos"))

        assert changed == ("name",)
        assert party(desk, "a").name == "J. de Vries-Bos"
        assert change_party(desk, resident("a", "J. de Vries-Bos")) == ()
    assert "Bos" not in _everything(books)


def test_a_party_never_changes_its_kind_and_is_never_deleted(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        add_party(desk, resident("a"))

    with pytest.raises(BooksError), books.desk(treasurer) as desk:
        desk.session.execute(update(PartyRow).values(kind="school"))
    with pytest.raises(BooksError), books.desk(treasurer) as desk:
        desk.session.execute(text("DELETE FROM party"))


def test_officers_are_recognised_on_both_databases(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        for name in ("anna", "bram"):
            add_party(desk, resident(name))
        roles = frozenset({Role.TREASURER, Role.BOARD})
        first, _ = first_officers(
            desk, OfficerTerm("treasurer", "anna", roles), OfficerTerm("board", "bram", roles)
        )

    own_secret = renew_secret(books, "treasurer", first.secret).secret

    assert recognise(books, "treasurer", own_secret) == Officer("treasurer", "anna", roles)


def _live_here(desk: Desk) -> None:
    """Let a party own, be a member, have a mandate and an unpaid invoice."""
    add_party(desk, resident("a"))
    add_connection(desk, Connection("a", ean_of(97), "greenchoice"))
    own(desk, "a", "a", date(2026, 1, 1))
    add_member(desk, "a", date(2026, 1, 1))
    sign_mandate(desk, "a", "ZON-1", IBAN, date(2026, 6, 20))
    give_consent(desk, "a", "a", Purpose.SETTLEMENT, 0, "form 12")
    _book(desk, "invoice", "receivable:a", "coop:energy_sales")
    issue(
        desk,
        Series.INVOICE,
        "a",
        date(2026, 8, 1),
        {"name": "J. de Vries", "amount_cents": 100},
        None,
    )


def _book(desk: Desk, key: str, debit: str, credit: str) -> None:
    lines = Line(Account(debit), 100), Line(Account(credit), -100)
    post(desk, Journal("test", key, date(2026, 8, 1), Entry(key, lines), key))


def _everything(books: Books) -> str:
    """Return every value of every table as one text."""
    with books.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return "\n".join(
            repr(row)
            for table in tables
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - own names
        )


def test_a_payout_account_that_was_changed_or_taken_out_is_found(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    with books.desk(treasurer) as desk:
        settle_in(desk, "a", "b")
        propose_iban(desk, "a", IBAN)
        propose_iban(desk, "b", OTHER_IBAN)
        assert accounts_as_logged(desk) == []
    approve_all(books, board)

    with books.desk(treasurer) as desk:
        other = desk.keys.seal(OTHER_IBAN), desk.keys.fingerprint(OTHER_IBAN)
        desk.session.execute(
            update(PayoutAccountRow)
            .where(PayoutAccountRow.party == "a")
            .values(iban=other[0], iban_fingerprint=other[1])
        )
        desk.session.execute(delete(PayoutAccountRow).where(PayoutAccountRow.party == "b"))
        desk.session.expire_all()
        found = accounts_as_logged(desk)

    assert [each.what for each in found] == [
        "is not as the audit log knows it",
        "is in the audit log and not in the registry",
    ]
