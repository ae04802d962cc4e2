"""Deliberate mistakes in the protocol; the simulation must catch each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from collectors.ingest import Ingest
from collectors.receiver import Parcel, Receiver
from gateway.keep.courier import Courier
from kwartier.envelope import Envelope
from kwartier.identity import GatewayId
from kwartier.wire import Ack
from tests.faults.simulation import CrashError, Kinds, SimulatedStore
from tests.memory_store import MemoryIntake


class AckBeforeCommit(Ingest):
    """Tells gateways before the transaction is durable."""

    def _committed(self, parcels: Sequence[Parcel]) -> list[tuple[GatewayId, Ack]]:
        receiver = Receiver(self._store.generation)
        with self._store.intake() as intake:
            tally = receiver.take_in(intake, parcels, 0)
            for gateway, ack in tally.acks:
                self._tell(gateway, ack)
        return []


class NoEpochIntake(MemoryIntake):
    """Counts all lives of an outbox together."""

    def watermark(self, gateway: GatewayId, epoch: str) -> int:  # noqa: ARG002 - the mistake
        lives = {epoch for name, epoch in [*self.held.upto, *self.upto] if name == gateway}
        return max(
            (super(NoEpochIntake, self).watermark(gateway, life) for life in lives), default=0
        )


class NoEpoch(SimulatedStore):
    """Keeps one watermark a gateway."""

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        intake = NoEpochIntake(self.held)
        yield intake
        intake.commit()


class GapsAccepted(Receiver):
    """Takes whatever is new, whether or not something is missing before it."""

    def wanted(self, upto: int, place: Envelope) -> int:
        return max(upto + 1, place.seq)


class AcceptsGaps(Ingest):
    """Works by that rule."""

    receiver_kind = GapsAccepted


class DuplicatesCounted(Receiver):
    """Takes a block again each time it comes."""

    def wanted(self, upto: int, place: Envelope) -> int:
        return place.seq if place.seq <= upto else super().wanted(upto, place)


class CountsDuplicates(Ingest):
    """Works by that rule."""

    receiver_kind = DuplicatesCounted


class ForgetOnSend(Courier):
    """Counts a block as delivered once it left."""

    def _send(self, wanted: range, oldest: int) -> bool:
        sent = super()._send(wanted, oldest)
        if sent and wanted:
            self._take_in(Ack(self._sender.store_gen or "sent", self._epoch, wanted[-1]), False)
        return sent


class WatermarkFirstIntake(MemoryIntake):
    """Raises the watermark at once, not with the blocks."""

    def advance(self, gateway: GatewayId, epoch: str, upto: int) -> None:
        self.held.upto[gateway, epoch] = max(upto, self.watermark(gateway, epoch))


class WatermarkOutsideTransaction(SimulatedStore):
    """Keeps blocks and watermark in two transactions."""

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        intake = WatermarkFirstIntake(self.held)
        yield intake
        if self.crash_before:
            self.crash_before = False
            raise CrashError
        intake.commit()


class NoGeneration(Courier):
    """Does not notice that the record is another one."""

    def _take_in(self, ack: Ack, retained: bool) -> None:
        super()._take_in(Ack("always", ack.epoch, ack.upto, ack.gap), retained)


class NoResend(Courier):
    """Sends each block once, and again only when a gap is reported or the link was away."""

    def turn(self) -> float | None:
        self._sender._moved(self._clock.monotonic_s())
        return super().turn()


class TrustsItsCopy(Courier):
    """Does not ask whether its outbox is older than the record."""

    def turn(self) -> float | None:
        self._sender._unproven = 0
        return super().turn()


MUTANTS = {
    "ack before commit": Kinds(ingest=AckBeforeCommit),
    "no epoch": Kinds(store=NoEpoch),
    "gaps accepted": Kinds(ingest=AcceptsGaps),
    "duplicates counted": Kinds(ingest=CountsDuplicates),
    "forget on send": Kinds(courier=ForgetOnSend),
    "watermark outside the transaction": Kinds(store=WatermarkOutsideTransaction),
    "no store generation": Kinds(courier=NoGeneration),
    "no resend": Kinds(courier=NoResend),
    "an outbox trusted though it is a copy": Kinds(courier=TrustsItsCopy),
}
