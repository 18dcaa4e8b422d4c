"""Checks an exported audit log: `cat *.jsonl | python3 check_audit.py`, archives and rest at once.

Needs Python 3.9 and nothing else, neither Bursar nor a database. Follows the hash chain link by
link, and compares it with every signed head: what was edited or deleted is named, a tail that was
cut off and a chain that was rewritten are found. Checkpoints that you were told, as the bodies of
webhooks, a line each, are heads as well, signed by the key that they name. What an event says of a
person stands apart, in `personal`; it may be missing when the log says that they were erased. Exits
0 when all is well, else 9.
"""

import hashlib
import json
import sys
from uuid import UUID

# Ed25519 as RFC 8032 has it: slow, and short enough to be read.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
KEY_LENGTH = 32
SIGNATURE_LENGTH = 64
PERSONAL = "personal:"
ERASURES = {"customer.erased", "payment_method.erased"}


def added(one, other):
    """The sum of two points, in extended coordinates."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(count, point):
    """A point added to itself so many times."""
    total = (0, 1, 1, 0)
    while count:
        if count & 1:
            total = added(total, point)
        point, count = added(point, point), count >> 1
    return total


def point_of(raw):
    """The point that 32 bytes mean, or None."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return (P - x if (x & 1) != sign else x), y, 1, (P - x if (x & 1) != sign else x) * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(KEY_LENGTH, "little"))


def is_signed(key, text, signature):
    """Whether the holder of the key signed this text."""
    owner, nonce = point_of(key), point_of(signature[:KEY_LENGTH])
    scalar = int.from_bytes(signature[KEY_LENGTH:], "little")
    if owner is None or nonce is None or len(signature) != SIGNATURE_LENGTH or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:KEY_LENGTH] + key + text).digest()
    left = times(scalar, BASE)
    right = added(nonce, times(int.from_bytes(digest, "little") % ORDER, owner))
    return (
        not (left[0] * right[2] - right[0] * left[2]) % P
        and not (left[1] * right[2] - right[1] * left[2]) % P
    )


def link_hash(last, org, words):
    """SHA-256 over the link before, the organization, and every word with its length."""
    hasher = hashlib.sha256(last + org)
    for word in words:
        raw = b"" if word is None else word.encode()
        hasher.update(b"-" if word is None else b"%d:%s" % (len(raw), raw))
    return hasher.digest()


def read(lines):
    """Which organization, the keys that sign, links by position, and signed heads."""
    orgs, keys, links, heads = set(), set(), {}, {}
    for line in map(json.loads, lines):
        if line.get("type") == "audit.checkpoint":
            told = line["data"]
            heads[told["position"], told["hash"], told["signature"]] = told
        elif line["kind"] == "log":
            orgs.add(line["org"])
            keys.update(map(bytes.fromhex, line["publicKeys"]))
        elif line["kind"] == "head":
            heads[line["position"], line["hash"], line["signature"]] = line
        elif line["words"] is not None or line["position"] not in links:
            links[line["position"]] = line  # what was archived may stand in another file
    if len(orgs) != 1:
        sys.exit("these files are not of one organization")
    return UUID(orgs.pop().partition("_")[2]).bytes, keys, links, list(heads.values())


def checked(lines):
    """What is wrong, line by line, and how many links and heads there were."""
    org, keys, links, heads = read(lines)
    erased = {
        link["words"][5]
        for link in links.values()
        if link["words"] is not None and link["words"][1] in ERASURES
    }
    faults, last, position = [], bytes(32), 0
    for link in (links[each] for each in sorted(links)):
        if link["position"] != position + 1:
            faults.append(f"gap before {link['eventId']}")
        fault = link_fault(link, last, org, erased)
        if fault is not None:
            faults.append(f"{fault} {link['eventId']}")
        last, position = bytes.fromhex(link["hash"]), link["position"]
    hashes = {position: link["hash"] for position, link in links.items()}
    for head in heads:
        faults += head_faults(head, hashes, keys)
    return faults, len(links), len(heads)


def link_fault(link, last, org, erased):
    """What is wrong with one link, given the hash before it and who was erased."""
    words, personal = link["words"], link.get("personal")
    if words is None:
        return "deleted"
    if link_hash(last, org, words) != bytes.fromhex(link["hash"]):
        return "edited"
    if not (words[-1] or "").startswith(PERSONAL):
        return None
    if personal is None:  # taken out: only an erasure may do that
        return None if words[5] in erased else "stripped"
    digest = hashlib.sha256(bytes.fromhex(personal)).hexdigest()
    return None if words[-1] == PERSONAL + digest else "edited"


def head_faults(head, hashes, keys):
    """How a signed head and the chain disagree."""
    org = head.get("org") or head["organizationId"]
    text = f"{org}|{head['position']}|{head['hash']}".encode()
    if "publicKey" in head:  # it was kept as it was told, by a key that may be gone since
        keys = {bytes.fromhex(head["publicKey"])}
    signature = bytes.fromhex(head["signature"])
    if not any(is_signed(key, text, signature) for key in keys):
        return [f"the head at {head['position']} is not signed by a known key"]
    if hashes.get(head["position"]) != head["hash"]:
        is_cut = head["position"] not in hashes
        return [f"position {head['position']} {'was cut off' if is_cut else 'was rewritten'}"]
    return []


if __name__ == "__main__":
    found, links, signed = checked(iter(sys.stdin))
    for fault in found:
        print(fault)
    print(f"{links} links, {signed} signed heads: {len(found) or 'no'} faults")
    sys.exit(9 if found else 0)
