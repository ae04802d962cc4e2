"""A small cooperative with members, mandates and papers, to move money in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from api.cooperative import registry
from api.cooperative.books import Journal, post
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series, documents, issue
from api.cooperative.four_eyes import Proposal, approve
from api.cooperative.officers import Officer
from api.cooperative.payments.camt import BankLine
from api.cooperative.registry import Party, PartyKind
from api.cooperative.settings import Address, CoopSettings
from kwartier.ledger import Account, Entry, Line
from kwartier.wire import Json

RUN = "2026-07/1"
OWES, EARNS = Series.INVOICE, Series.PURCHASE
SIGNED = date(2026, 1, 5)
JULY_31 = date(2026, 7, 31)
PAY_DAY = date(2026, 8, 15)
BANK_DAY = date(2026, 8, 17)
OWN_IBAN = "NL91ABNA0417164300"
CREDITOR = "NL69ZZZ123456780000"
HOME = Address("Zonstraat", "12", "3511 AB", "Utrecht")


def settings(folder: Path) -> CoopSettings:
    """The settings of a cooperative that may collect."""
    return CoopSettings(
        folder=folder,
        coop="zonnewijk",
        name="Wijkbedrijf Zonnewijk",
        address=Address("Wijkplein", "1", "3511 AA", "Utrecht"),
        kvk="12345678",
        vat_number="NL123456782B90",
        iban=OWN_IBAN,
        creditor_id=CREDITOR,
        phone="",
        email="",
        database="",
        owner="",
    )


def iban(number: int) -> str:
    """A Dutch IBAN whose check digits are right (ISO 13616: the rest by 97 is 1)."""
    account = f"ABNA{number:010d}"
    digits = int("".join(str(int(letter, 36)) for letter in f"{account}NL00"))
    return f"NL{98 - digits % 97:02d}{account}"


@dataclass(frozen=True, slots=True)
class Company:
    """The books, and the two who move money in them."""

    books: Books
    settings: CoopSettings
    treasurer: Officer
    board: Officer

    def members(
        self, *numbers: int, without_mandate: tuple[int, ...] = (), signed: date = SIGNED
    ) -> None:
        """Add members ``huis-1`` and so on, each with an account of its number to be paid on."""
        with self.books.desk(self.treasurer) as desk:
            proposals = [
                add_member(desk, number, None if number in without_mandate else signed)
                for number in numbers
            ]
        with self.books.desk(self.board) as desk:
            for proposal in proposals:
                approve(desk, proposal.id, proposal.body_hash)

    def papers(
        self,
        *papers: tuple[Series, int, int],
        run: str = RUN,
        day: date = JULY_31,
        due: date | None = None,
    ) -> list[str]:
        """Issue papers of members by number and cents, and return the papers' numbers."""
        with self.books.desk(self.treasurer) as desk:
            return [
                issue_paper(desk, series, f"huis-{number}", cents, run, day, due)
                for series, number, cents in papers
            ]


def add_member(desk: Desk, number: int, signed: date | None) -> Proposal:
    """Add a member who signed a mandate, and propose the account it is paid on."""
    name = f"huis-{number}"
    registry.add_party(desk, Party(name, PartyKind.RESIDENT, f"Fam. {name} & Zoë", HOME))
    if signed is not None:
        registry.sign_mandate(desk, name, f"M-{number:04d}", iban(number), signed)
    return registry.propose_iban(desk, name, iban(number))


def issue_paper(
    desk: Desk,
    series: Series,
    party: str,
    cents: int,
    run: str,
    day: date,
    due: date | None = None,
) -> str:
    """Let a member owe or earn something, and return the paper's number."""
    if series is Series.INVOICE:
        account, against, signed = f"receivable:{party}", "coop:energy_sales", cents
    else:
        account, against, signed = f"payable:{party}", "coop:energy_purchase", -cents
    lines = (Line(Account(account), signed), Line(Account(against), -signed))
    count = len(documents(desk))
    journal = Journal("run", f"{run}-{count}", day, Entry(f"{series} {party}", lines), "settled")
    posted = post(desk, journal)
    body: dict[str, Json] = {"amount_cents": cents}
    if due is not None:
        body["statement"] = {"due": due.isoformat()}
    return issue(desk, series, party, day, body, posted.id, run).number


def camt(
    lines: list[BankLine],
    opening: int = 0,
    name: str = "2026-08-17",
    *,
    version: str = "08",
    own: str = OWN_IBAN,
    day: date = BANK_DAY,
    closing: int | None = None,
) -> bytes:
    """A statement as a bank writes it, by hand after the published message definition."""
    end = opening + sum(line.cents for line in lines) if closing is None else closing
    entries = "".join(_entry(line, version) for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId><CreDtTm>2026-08-18T01:00:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{name}</Id><CreDtTm>2026-08-18T01:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{own}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{_balance('OPBD', opening, day)}{_balance('CLBD', end, day)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def euros(cents: int) -> str:
    """An amount as a bank writes it, without a sign."""
    return f"{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _side(cents: int) -> str:
    return f"<CdtDbtInd>{'DBIT' if cents < 0 else 'CRDT'}</CdtDbtInd>"


def _balance(code: str, cents: int, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{euros(cents)}</Amt>{_side(cents)}<Dt><Dt>{day}</Dt></Dt></Bal>'
    )


def _entry(line: BankLine, version: str) -> str:
    status = "<Sts>BOOK</Sts>" if version == "02" else "<Sts><Cd>BOOK</Cd></Sts>"
    reference = f"<AcctSvcrRef>{line.reference}</AcctSvcrRef>" if line.reference else ""
    amount = f'<Amt Ccy="EUR">{euros(line.cents)}</Amt>{_side(line.cents)}'
    return (
        f"<Ntry>{amount}{status}<BookgDt><Dt>{line.booked}</Dt></BookgDt>{reference}"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
        f"</BkTxCd><NtryDtls>{_details(line, version, amount)}</NtryDtls></Ntry>"
    )


def _details(line: BankLine, version: str, amount: str) -> str:
    if line.batch and not line.end_to_end:
        return f"<Btch><PmtInfId>{line.batch}</PmtInfId></Btch>"
    side = "Dbtr" if (line.cents > 0) != line.returned else "Cdtr"
    party = f"<Nm>{line.name}</Nm>"
    party = party if version == "02" else f"<Pty>{party}</Pty>"
    parties = (
        f"<RltdPties><{side}>{party}</{side}>"
        f"<{side}Acct><Id><IBAN>{line.iban}</IBAN></Id></{side}Acct></RltdPties>"
        if line.iban
        else ""
    )
    returned = f"<RtrInf><Rsn><Cd>{line.reason}</Cd></Rsn></RtrInf>" if line.returned else ""
    mandate = f"<MndtId>{line.mandate}</MndtId>" if line.mandate else ""
    text = f"<RmtInf><Ustrd>{line.text}</Ustrd></RmtInf>" if line.text else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{line.end_to_end or 'NOTPROVIDED'}</EndToEndId>{mandate}"
        f"</Refs>{'' if version == '02' else amount}{parties}{text}{returned}</TxDtls>"
    )
