"""'Klopt dit niet?': residents ask about a statement, the board answers."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.house import House
from api.pages.language import Language
from api.pages.sheets import Sheets, go, language_of
from api.pages.statement.place import place_of, place_words
from api.people.errors import PeopleError
from api.people.questions import (
    MOST_LETTERS,
    answer,
    answered_questions,
    ask,
    questions_of,
    waiting_questions,
)
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.forms import Form
from kwartier.interval import day_of


def add_questions(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    """Add ``/afrekening/vraag`` for residents and ``/bestuur/vragen`` for the board."""
    _add_asking(app, house, door, sheets)
    _add_answering(app, house, door, sheets)


def _add_asking(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    owner = Depends(Require(door, Need.OWNER))

    def form(
        request: Request, visitor: Visitor, place: str, text: str = "", problem: str = ""
    ) -> Response:
        lang = language_of(request, visitor)
        values = {
            "place": place,
            "about": place_words(place, lang),
            "text": text,
            "most": MOST_LETTERS,
            "problem": problem,
        }
        return sheets.show(
            request,
            visitor,
            "statement_ask.html",
            values,
            title="title.statement.question",
            tab="statement",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )

    @app.get("/afrekening/vraag", include_in_schema=False)
    def ask_form(request: Request, visitor: Annotated[Visitor, owner], plek: str = "") -> Response:
        return form(request, visitor, place_of(house, visitor, plek))

    @app.post("/afrekening/vraag", include_in_schema=False)
    def asked(request: Request, visitor: Annotated[Visitor, owner], sent: Form) -> Response:
        place = place_of(house, visitor, sent.get("place", ""))
        text, lang = sent.get("text", ""), language_of(request, visitor)
        if problem := _problem(text, lang):
            return form(request, visitor, place, text, problem)
        try:
            with house.people.writing() as desk:
                question = ask(desk, visitor.account, visitor.party, place, text)
        except PeopleError:
            return form(request, visitor, place, text, lang.say("statement.ask.many"))
        return go(f"/afrekening/vraag/{question.number}", done="question.asked")

    @app.get("/afrekening/vraag/{number}", include_in_schema=False)
    def one(request: Request, number: str, visitor: Annotated[Visitor, owner]) -> Response:
        with house.people.reading() as desk:
            own = questions_of(desk, visitor.account)
        question = next((each for each in own if str(each.number) == number), None)
        if question is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "you asked no question with that number")
        about = place_words(question.place, language_of(request, visitor))
        return sheets.show(
            request,
            visitor,
            "statement_asked.html",
            {"question": question, "about": about},
            title="title.statement.question",
            tab="statement",
        )


def _add_answering(app: FastAPI, house: House, door: Doorkeeper, sheets: Sheets) -> None:
    board = Depends(Require(door, Need.BOARD))

    def page(
        request: Request, visitor: Visitor, number: int = 0, text: str = "", problem: str = ""
    ) -> Response:
        lang = language_of(request, visitor)
        with house.people.reading() as desk:
            waiting, answered = waiting_questions(desk), answered_questions(desk)
        values = {
            "page_class": "board",
            "waiting": waiting,
            "answered": answered,
            "about": lambda place: place_words(place, lang),
            "today": day_of(house.clock.now_s()),
            "most": MOST_LETTERS,
            "number": number,
            "text": text,
            "problem": problem,
        }
        return sheets.show(
            request,
            visitor,
            "statement_questions.html",
            values,
            title="title.questions",
            tab="questions",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )

    @app.get("/bestuur/vragen", include_in_schema=False)
    def questions(request: Request, visitor: Annotated[Visitor, board]) -> Response:
        return page(request, visitor)

    @app.post("/bestuur/vragen/{number}", include_in_schema=False)
    def answered(
        request: Request, number: str, visitor: Annotated[Visitor, board], sent: Form
    ) -> Response:
        with house.people.reading() as desk:
            waiting = {str(each.number): each for each in waiting_questions(desk)}
        if number not in waiting:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such question waits for an answer")
        text = sent.get("text", "")
        if problem := _problem(text, language_of(request, visitor)):
            return page(request, visitor, waiting[number].number, text, problem)
        with house.people.writing() as desk:
            answer(desk, visitor.account, waiting[number].number, text)
        return go("/bestuur/vragen", done="question.answered")


def _problem(text: str, lang: Language) -> str:
    """Return what is wrong with a text, in words; nothing when it is fine."""
    letters = len(text.replace("\r\n", "\n").strip())
    if 0 < letters <= MOST_LETTERS:
        return ""
    key = "statement.ask.long" if letters else "statement.ask.empty"
    return lang.say(key, most=lang.whole(MOST_LETTERS), n=lang.whole(letters))
