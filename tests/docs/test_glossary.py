"""The product speaks the field's language: no word that the glossary gives up stands in a name or in a text."""

from __future__ import annotations

import re

from tests.docs import glossary
from tests.docs.glossary import REPOSITORY, Finding

TERMS = glossary.terms()
NAMES = {name for term in TERMS for name in term.names}
PHRASES = {phrase for term in TERMS for phrase in term.phrases}
STORED = glossary.stored_names()


def listed(found: list[Finding]) -> str:
    return "\n".join(map(str, found))


def test_every_term_is_explained_in_one_sentence() -> None:
    assert len(TERMS) > 50
    odd = [term.name for term in TERMS if not re.fullmatch(r"[A-Z][^.]*(?:\.\d[^.]*)*\.", term.meaning)]
    assert odd == []
    names = [term.name for term in TERMS]
    assert sorted(set(names)) == sorted(names), "a term stands there twice"


def test_no_name_of_the_code_holds_a_word_that_is_no_more() -> None:
    assert listed(glossary.given_up_names(NAMES, STORED)) == ""


def test_no_text_holds_a_phrase_that_is_no_more() -> None:
    assert listed(glossary.given_up_phrases(PHRASES, STORED)) == ""


def test_a_word_that_comes_back_would_be_found() -> None:
    assert [found.word for found in glossary.given_up_names({"models", "spec.py"}, []) if "spec" in found.file]
    texts = glossary.given_up_phrases({"stands watch over a bank"}, [])
    assert "README.md" in {found.file for found in texts}


def test_a_stored_name_has_a_place_that_there_is_and_is_needed_there() -> None:
    for stored in STORED:
        assert stored.why, stored.name
        assert stored.places, f"{stored.name} may stand nowhere"
        for place in stored.places:
            assert (REPOSITORY / place).exists(), f"{stored.name}: there is no {place}"
    words = NAMES | PHRASES
    assert [stored.name for stored in STORED if stored.name.lower() not in words] == []
    found = [*glossary.given_up_names(NAMES, []), *glossary.given_up_phrases(PHRASES, [])]
    used = {(stored.name, place) for stored in STORED for place in stored.places for each in found
            if each.file.startswith(place) and stored.name in (each.word, each.found)}  # fmt: skip
    assert sorted({(stored.name, place) for stored in STORED for place in stored.places} - used) == []
