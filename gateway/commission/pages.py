"""The pages as HTML: one step on one page, for a phone first; every text is escaped here."""

from __future__ import annotations

from html import escape
from importlib.metadata import version

from gateway.commission.book import STEPS, Book, Mark, Step
from gateway.commission.view import Act, Line, Tone, View
from gateway.commission.words import Words

STYLE = "/static/wizard.css"
SCRIPT = "/static/wizard.js"
_MEASURING = (Step.METER, Step.SIGNS, Step.LIVE)
_HANDED = {"handover.done", "handover.open", "handover.waits"}
_SHAPES = {
    Tone.GOOD: '<path d="M5 13l4 4L19 7"/>',
    Tone.WAIT: '<circle cx="12" cy="12" r="8"/><path d="M12 7v5l3 2"/>',
    Tone.STOP: '<path d="M12 5v9M12 18v1"/>',
}


def page(words: Words, title: str, body: str, path: str, *, head: str = "") -> str:
    """Return a whole page."""
    say = words.say
    other = words.other
    return (
        f'<!doctype html>\n<html lang="{words.tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)} \N{EN DASH} {escape(say('brand'))}</title>\n"
        f'<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="{STYLE}">\n'
        f'<script type="module" src="{SCRIPT}"></script>{head}\n</head>\n<body>\n'
        f'<a class="skip" href="#content">{escape(say("skip"))}</a>\n'
        '<header class="top"><a class="brand" href="/">'
        '<svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="14"/>'
        '<path d="M16 16V2A14 14 0 0 1 30 16Z"/></svg>'
        f"<span>{escape(say('brand'))}</span></a>"
        f'<a class="tongue" href="{escape(path)}?taal={other}" hreflang="{other}" '
        f'lang="{other}">{escape(say("language.other"))}</a></header>\n'
        f'<main id="content" tabindex="-1">\n{body}\n</main>\n'
        f'<footer class="foot"><p>{escape(say("foot", {"version": version("kwartier")}))}</p>'
        "</footer>\n</body>\n</html>\n"
    )


def door_page(words: Words, problem: str = "") -> str:
    """Return the page that asks for the code of the box."""
    say = words.say
    described = 'aria-describedby="hint"'
    if problem:
        described = 'aria-invalid="true" aria-describedby="problem hint"'
    told = f'<p class="notice stop" id="problem" role="alert">{escape(problem)}</p>'
    body = (
        f"<h1>{escape(say('door.title'))}</h1><p>{escape(say('door.why'))}</p>"
        f"{told if problem else ''}"
        '<form class="card fields" method="post" action="/binnen">'
        f'<div class="field"><label for="code">{escape(say("door.code"))}</label>'
        f'<p class="hint" id="hint">{escape(say("door.hint"))}</p>'
        '<input id="code" name="code" required maxlength="20" autocomplete="off" '
        f'autocapitalize="characters" spellcheck="false" {described}></div>'
        f'<button class="button">{escape(say("door.enter"))}</button></form>'
    )
    return page(words, say("door.title"), body, "/")


def step_page(
    words: Words, view: View, book: Book, token: str, problem: str = "", every_ms: int = 2000
) -> str:
    """Return the page of a step.

    Args:
        words: Whose language.
        view: How it stands now.
        book: What came of the others.
        token: Proves that a form came from our own page.
        problem: Why the last press did nothing; empty when it did.
        every_ms: How often a script looks again [ms].
    """
    say = words.say
    number = STEPS.index(view.step) + 1
    title = say(f"step.{view.step.value}")
    told = f'<p class="notice stop" role="alert">{escape(problem)}</p>' if problem else ""
    body = (
        f'<nav aria-label="{escape(say("steps"))}">{_steps(words, view.step, book)}</nav>'
        f'<p class="count">{escape(say("step", {"now": number, "all": len(STEPS)}))}</p>'
        f"<h1>{escape(title)}</h1>{told}"
        f'<div id="live" data-moving="{"yes" if view.moving else "no"}" '
        f'data-every="{every_ms}">{live_part(words, view)}</div>'
        f'<div id="acts">{acts_part(words, view, token)}</div>'
        f"{_tools(words, view, number)}"
    )
    return page(
        words,
        f"{say('step', {'now': number, 'all': len(STEPS)})}: {title}",
        body,
        path_of(view.step),
    )


def live_part(words: Words, view: View) -> str:
    """Return what changes by itself: the verdict, its remedy, and what was measured."""
    say = words.say
    head = (
        f'<section class="signal {view.tone.value}" role="status">{_shape(view.tone)}'
        f"<div><h2>{escape(say(view.key, view.facts))}</h2>"
        f"<p>{escape(say(f'{view.key}.do', view.facts))}</p></div></section>"
    )
    if not view.lines:
        return head
    rows = "".join(_row(words, line) for line in view.lines)
    title = say("measured" if view.step in _MEASURING else "summary")
    return (
        f'{head}<section class="card"><h2>{escape(title)}</h2>'
        f'<ul class="lines">{rows}</ul></section>'
    )


def acts_part(words: Words, view: View, token: str) -> str:
    """Return the buttons, each a form of its own."""
    forms = "".join(_form(words, view.step, act, token) for act in view.acts)
    if view.step is Step.HANDOVER and view.key in _HANDED:
        say = words.say
        forms = (
            '<p class="actions"><a class="button" href="/overdracht">'
            f"{escape(say('act.print'))}</a>"
            f'<a class="button second" href="/overdracht.json" download>'
            f"{escape(say('act.file'))}</a></p>{forms}"
        )
    return forms


def message_page(words: Words, title: str, text: str) -> str:
    """Return a page that says one thing, with the way back."""
    body = (
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"
        f'<p><a class="button second" href="/">{escape(words.say("paper.back"))}</a></p>'
    )
    return page(words, title, body, "/")


def path_of(step: Step) -> str:
    """Return the address of a step."""
    return f"/stap/{STEPS.index(step) + 1}"


def _steps(words: Words, here: Step, book: Book) -> str:
    """Return the seven steps; those that were done can be gone to."""
    items = []
    furthest = STEPS.index(book.next())
    for place, step in enumerate(STEPS):
        outcome = book.outcome(step)
        name = escape(words.say(f"step.{step.value}"))
        tone = (
            Tone.QUIET if outcome is None else Tone.GOOD if outcome.mark is Mark.GOOD else Tone.WAIT
        )
        state = f" ({escape(words.say(f'tone.{tone.value}'))})" if outcome is not None else ""
        inside = f'<span class="number">{place + 1}</span><span class="name">{name}{state}</span>'
        current = ' aria-current="step"' if step is here else ""
        if place <= furthest or outcome is not None:
            inside = f'<a href="{path_of(step)}"{current}>{inside}</a>'
        else:
            inside = f'<span class="ahead">{inside}</span>'
        items.append(f'<li class="{tone.value}">{inside}</li>')
    return f'<ol class="steps">{"".join(items)}</ol>'


def _row(words: Words, line: Line) -> str:
    label = escape(words.say(f"{line.key}.label", line.facts))
    value = escape(words.say(f"{line.key}.value", line.facts))
    tone = words.say(f"tone.{line.tone.value}")
    mark = f'<span class="mark">{_shape(line.tone)}<span>{escape(tone)}</span></span>'
    told = f"<b>{value}</b>" if value else ""
    return (
        f'<li class="{line.tone.value}"><span class="label">{label}</span>{told}'
        f"{mark if tone else ''}</li>"
    )


def _form(words: Words, step: Step, act: Act, token: str) -> str:
    fields = "".join(_field(words, name) for name in act.fields)
    kind = "button second" if act.second else "button"
    name = escape(words.say(act.key, act.facts))
    shown = f'<form class="{"card fields" if fields else "act"}" method="post"'
    return (
        f'{shown} action="{path_of(step)}">{fields}'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<button class="{kind}" name="do" value="{escape(act.do)}">{name}</button></form>'
    )


def _field(words: Words, name: str) -> str:
    label = escape(words.say(f"field.{name}"))
    if name.startswith("agree-"):
        return (
            f'<label class="tick"><input type="checkbox" name="{name}" value="yes">'
            f"<span>{label}</span></label>"
        )
    hint = escape(words.say(f"field.{name}.hint"))
    needed = " required" if name != "contact" else ""
    return (
        f'<div class="field"><label for="{name}">{label}</label>'
        f'<p class="hint" id="{name}-hint">{hint}</p>'
        f'<input id="{name}" name="{name}" maxlength="120" aria-describedby="{name}-hint" '
        f'autocomplete="off" spellcheck="false"{needed}></div>'
    )


def _tools(words: Words, view: View, number: int) -> str:
    """Return the way back, a look again without script, and the button that pauses."""
    say = words.say
    parts: list[str] = []
    if number > 1:
        parts.append(
            f'<a class="button second" href="{path_of(STEPS[number - 2])}">'
            f"{escape(say('back'))}</a>"
        )
    if view.moving:
        parts.append(
            f'<a class="button second" id="refresh" href="{path_of(view.step)}">'
            f"{escape(say('refresh'))}</a>"
            f'<button type="button" class="button second" id="pause" hidden '
            f'data-go="{escape(say("go"))}">{escape(say("pause"))}</button>'
        )
    return f'<p class="actions tools">{"".join(parts)}</p>' if parts else ""


def _shape(tone: Tone) -> str:
    drawn = _SHAPES.get(tone)
    return (
        f'<svg class="shape" viewBox="0 0 24 24" aria-hidden="true">{drawn}</svg>' if drawn else ""
    )
