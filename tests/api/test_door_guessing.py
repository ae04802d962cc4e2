"""Guessing: few tries per account and place, few hashes at once, and little memory."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.people.accounts import SYSTEM, add_account
from api.people.book import PeopleBook
from api.people.errors import TooOftenError
from api.people.opening import open_people
from api.people.passwords import is_right, set_password, whose
from api.people.rates import Rates, place_of
from api.people.slow import SlowQueue
from kwartier.clock import VirtualClock

START_S = 1_800_000_000
TEN_MINUTES_S = 600.0


def passes(rates: Rates, address: str, account: str, *, password: bool = True) -> bool:
    """Return whether a try is let through."""
    try:
        rates.count(address, account, password=password)
    except TooOftenError:
        return False
    return True


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1::1", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.7", True),
        ("", "no address", True),
    ],
)
def test_neighbouring_addresses_are_one_place(one: str, other: str, same: bool) -> None:
    assert (place_of(one) == place_of(other)) is same


def test_an_account_has_five_tries_and_a_place_twenty() -> None:
    rates = Rates(VirtualClock(START_S))

    one = [passes(rates, f"10.0.{n}.1", "account a", password=False) for n in range(7)]
    many = [passes(rates, "10.9.9.9", f"account {n}", password=False) for n in range(30)]

    assert one == [True] * 5 + [False] * 2
    assert sum(many) == 20


def test_tries_come_back_after_a_quarter_of_an_hour() -> None:
    clock = VirtualClock(START_S)
    rates = Rates(clock)
    for n in range(5):
        assert passes(rates, f"10.0.{n}.1", "account a", password=False)

    clock.advance(899)
    assert not passes(rates, "10.1.0.1", "account a", password=False)
    clock.advance(1)
    assert passes(rates, "10.1.0.1", "account a", password=False)


def test_ten_thousand_guesses_from_everywhere_are_hashed_thirty_times() -> None:
    clock, chance = VirtualClock(START_S), random.Random(4)  # noqa: S311
    rates = Rates(clock)
    hashed = 0

    for _ in range(10_000):
        address = f"{chance.randrange(1, 223)}.{chance.randrange(256)}.{chance.randrange(256)}.1"
        hashed += passes(rates, address, f"account {chance.randrange(5_000)}")
        clock.advance(TEN_MINUTES_S / 10_000)

    assert hashed <= 31


def test_a_crowd_of_strangers_does_not_keep_a_neighbour_out() -> None:
    rates = Rates(VirtualClock(START_S))
    assert passes(rates, "192.0.2.7", "account gerda")
    rates.right("192.0.2.7", "account gerda", password=True)
    for n in range(60):
        passes(rates, f"10.0.{n}.1", f"account {n}")

    assert passes(rates, "192.0.2.8", "account gerda")
    assert not passes(rates, "198.51.100.1", "account gerda")


def test_two_are_hashed_at_once_eight_wait_and_the_rest_is_told_so() -> None:
    queue, inside, most = SlowQueue(2, 8), threading.Semaphore(0), []
    go, refused = threading.Event(), []
    now = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal now
        try:
            with queue.turn():
                with lock:
                    now += 1
                    most.append(now)
                inside.release()
                assert go.wait(30)
                with lock:
                    now -= 1
        except TooOftenError as error:
            refused.append(error.wait_s)

    workers = [threading.Thread(target=work) for _ in range(15)]
    for worker in workers:
        worker.start()
    assert inside.acquire(timeout=30)
    assert inside.acquire(timeout=30)
    until_s = time.monotonic() + 30
    while len(refused) < 5 and time.monotonic() < until_s:
        time.sleep(0.001)
    go.set()
    for worker in workers:
        worker.join(30)

    assert (max(most), len(most), len(refused)) == (2, 10, 5)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PeopleBook]:
    book = open_people(tmp_path, VirtualClock(START_S))
    with book.writing() as desk:
        account = add_account(desk, SYSTEM, name="gerda")
    set_password(book, SYSTEM, account, "gerda", "drie natte geiten zingen")
    yield book
    book.close()


def test_a_password_of_an_older_measure_is_hashed_anew_when_it_is_right(people: PeopleBook) -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher
    from sqlalchemy import update

    from api.people.tables import PasswordRow

    older = Argon2Hasher(time_cost=1, memory_cost=8_192, parallelism=1)
    weak = older.hash("drie natte geiten zingen")
    with people.writing() as desk:
        desk.session.execute(update(PasswordRow).values(hash=weak))
    with people.reading() as desk:
        known = whose(desk, "GERDA")

    assert is_right(people, known, "drie natte geiten zingen")

    with people.reading() as desk:
        assert whose(desk, "gerda").hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.nightly
def test_ten_thousand_guesses_at_once_take_little_time_and_memory(people: PeopleBook) -> None:
    rates, chance = Rates(people.clock), random.Random(9)  # noqa: S311
    hashed: list[float] = []
    before_kib = resident_kib()
    most_kib: list[int] = []

    def guess(number: int) -> None:
        place = f"10.{number % 200}.{number % 251}.1"
        try:
            rates.count(place, f"account {chance.randrange(5_000)}", password=True)
            with people.reading() as desk:
                known = whose(desk, f"name-{number}")
            is_right(people, known, f"guess number {number}")
            hashed.append(time.monotonic())
        except TooOftenError:
            pass
        if number % 50 == 0:
            most_kib.append(resident_kib())

    started_s = time.monotonic()
    with ThreadPoolExecutor(40) as crowd:
        list(crowd.map(guess, range(10_000)))

    assert len(hashed) <= 50
    assert time.monotonic() - started_s < 60
    assert max(most_kib) - before_kib <= 200 * 1_024


def resident_kib() -> int:
    """Return how much memory this process holds now [KiB]."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])
