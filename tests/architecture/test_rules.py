"""Every rule about single files holds, and every rule still bites."""

import pytest
from tests.architecture import calls, imports, names, prose, queries, sizes
from tests.architecture.rule import Rule, Sample
from tests.architecture.source import Source, tracked

RULES = (*sizes.RULES, *calls.RULES, *names.RULES, *prose.RULES, *imports.RULES, *queries.RULES)


def samples(kind: str) -> list[object]:
    return [
        pytest.param(rule, sample, id=f"{rule.name}-{number}")
        for rule in RULES
        for number, sample in enumerate(getattr(rule, kind))
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_holds(rule: Rule) -> None:
    # The law holds in every file that it binds.
    found = [str(offence) for source in tracked() for offence in rule.offences(source)]
    assert not found, "\n".join([rule.law, *found])


@pytest.mark.parametrize(("rule", "sample"), samples("caught"))
def test_bites(rule: Rule, sample: Sample) -> None:
    # Code written to break the law is caught.
    assert rule.offences(Source(sample.path, sample.text)), (
        f"{rule.name} is blind to {sample.text!r}"
    )


@pytest.mark.parametrize(("rule", "sample"), samples("free"))
def test_spares(rule: Rule, sample: Sample) -> None:
    # Code that keeps the law is let pass.
    found = [str(offence) for offence in rule.offences(Source(sample.path, sample.text))]
    assert not found, f"{rule.name} accuses {sample.text!r}: {found}"


def test_every_rule_has_samples() -> None:
    # No rule is trusted that has not been seen to catch and to spare something.
    assert [rule.name for rule in RULES if not (rule.caught and rule.free)] == []


def test_ratchet_only_shrinks() -> None:
    # An entry of the ratchet is a debt: it goes when the file has come under the limit.
    sizes_now = {source.path: len(source.lines) for source in tracked()}
    for source in tracked():
        if source.path.endswith(".py"):
            sizes_now |= sizes.function_sizes(source)
    limits = {
        key: sizes.FUNCTION_LINES_MAX if "::" in key else sizes.FILE_LINES_MAX
        for key in sizes.RATCHET
    }
    paid = [key for key, allowed in sizes.RATCHET.items() if sizes_now.get(key, 0) <= limits[key]]
    loose = [key for key, allowed in sizes.RATCHET.items() if allowed > sizes_now.get(key, allowed)]
    assert (paid, loose, len(sizes.RATCHET)) == ([], [], sizes.RATCHET_SIZE)
