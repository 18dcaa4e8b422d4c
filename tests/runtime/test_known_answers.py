"""Known answers: the last one of each spot, bounded in bytes."""

from bursar.runtime.idempotency import Answer
from bursar.runtime.known_answers import ANSWER_BYTES_MAX, KnownAnswer, KnownAnswers

SMALL = Answer(200, b"{}")
OTHER = Answer(200, b"[]")


def test_the_last_answer_is_kept_under_its_mark() -> None:
    # Another one takes its place; what nobody put there is not known.
    answers = KnownAnswers()
    assert answers.get("here") is None
    answers.put("here", "1", SMALL)
    answers.put("there", "7", SMALL)
    answers.put("here", "2", OTHER)
    assert answers.get("here") == KnownAnswer("2", OTHER)
    assert answers.get("there") == KnownAnswer("7", SMALL)
    assert len(answers) == 2


def test_what_was_not_asked_for_longest_goes_first() -> None:
    # As many bytes as there is room for, however often a spot is written anew.
    answers = KnownAnswers(bytes_max=3 * ANSWER_BYTES_MAX)
    body = Answer(200, b"x" * (ANSWER_BYTES_MAX - 2_000))
    for place in ("a", "b", "a", "c", "a"):
        answers.put(place, "1", body)
    assert answers.get("b") is not None
    answers.put("d", "1", body)
    assert [answers.get(place) is not None for place in "abcd"] == [True, True, False, True]


def test_a_large_answer_is_not_kept() -> None:
    # Nor is the smaller one that stood there before it.
    answers = KnownAnswers()
    answers.put("here", "1", SMALL)
    answers.put("here", "2", Answer(200, b"x" * (ANSWER_BYTES_MAX + 1)))
    assert answers.get("here") is None
    assert len(answers) == 0
