"""The page of a backtest is whole in both of its languages."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from api.backtest.question import Question, WorkFolder
from api.backtest.report import page_of
from api.backtest.run import answer_of, play
from api.crowd.workers import Alone
from optimizer.backtest.policies import policies_named
from tests.api.backtest_street import POLICIES, question_in


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return question_in(tmp_path_factory.mktemp("street"))


def test_the_page_is_whole_in_both_languages(question: Question, tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path / "work")
    folder.take(question)
    policies = policies_named(POLICIES)
    play(folder, question, policies, Alone())
    answer = answer_of(folder, question, policies)

    pages = {lang: page_of(folder, question, policies, answer, lang) for lang in ("nl", "en")}

    for lang, page in pages.items():
        assert f'<html lang="{lang}">' in page
        svgs = page.split("<svg")[1:]
        for svg in svgs:
            ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")  # noqa: S314 - ours
    assert "geen batterij" in pages["nl"]
    assert "no battery" in pages["en"]
