"""Passwords that are tried first everywhere, known by what is left when the frills are gone.

People who are told to use a capital, a digit and a sign write `P@ssw0rd123!`. So a password is
brought to its stem: no case, no digits or signs around it, the usual digits read as the letters
they stand for. One stem covers dozens of the spellings that lists of common passwords hold, and the
words below, alone or in a row, cover the head of such lists many times over. Rows of keys, runs of
the alphabet and few letters repeated are found by rule.
"""

import re
from functools import cache
from typing import Final

_STANDS_FOR: Final = str.maketrans("@4301!$57", "aaeoiisst")
# Figures and signs at either end, with one more letter behind them: `1A` is asked for and given.
_AROUND: Final = re.compile(r"^[^a-z]+|[^a-z]+[a-z]?[^a-z]*\Z")
_INSIDE: Final = re.compile(r"[^a-z]+")
_LETTERS_DIFFERENT_MIN: Final = 5
_ROW_LENGTH_MIN: Final = 4
_WORDS_IN_A_ROW_MAX: Final = 4
_ROWS: Final = (
    *(
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertzuiop",
        "azertyuiop",
    ),
    *("1234567890", "0123456789", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"),
    *("1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "147258369", "159753", "789456123"),
)
# What it is, what it does, who may; then months, days, beasts, games, teams, names, money.
_WORDS: Final = frozenset(
    """
    password passwort passord parola parole senha contrasena motdepasse wachtwoord haslo passwd
    pass pwd secret secrets private access accesso login logon signin letmein welcome
    willkommen bienvenue bienvenido default changeme change temp temporary test tester testing
    guest user username admin administrator root toor master super superuser supervisor manager
    system sysadmin backup server database oracle cisco router network internet computer
    windows microsoft apple google yahoo hotmail facebook linkedin twitter instagram whatsapp
    youtube samsung nokia iphone android amazon netflix office desktop laptop keyboard monitor
    printer qwerty qwertz azerty asdf asdfgh zxcvbn iloveyou loveyou ilove loveme love lover
    lovely loves forever always never babygirl babyboy baby princess prince queen king angel
    angels devil heaven hello hallo hola bonjour please thanks whatever nothing something
    anything everything nobody somebody mypassword mypass yourpassword newpassword oldpassword
    thepassword passwordpassword enter open opensesame sesame trustno trust
    january february march april june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday summer winter spring autumn fall sommer
    herbst fruehling sonne sunshine moonlight rainbow starlight snow storm thunder lightning
    fire water earth red green blue yellow orange purple pink black white silver golden gold
    diamond crystal ruby dragon monkey tiger lion bear wolf eagle falcon hawk phoenix shark
    dolphin horse mustang bulldog puppy kitty kitten doggy chicken turtle rabbit spider
    scorpion cobra viper panther cougar jaguar football baseball basketball soccer hockey
    tennis golf rugby cricket liverpool arsenal chelsea manchester united barcelona realmadrid
    juventus bayern cowboys steelers yankees lakers rangers packers eagles redskins raiders
    broncos giants patriots dolphins braves dodgers redsox chicago superman batman spiderman
    ironman wolverine starwars startrek skywalker jedi yoda matrix neo pokemon pikachu naruto
    sonic mario zelda minecraft fortnite roblox warcraft starcraft halo doom michael michelle
    jennifer jessica ashley amanda nicole daniel david robert thomas andrew joshua matthew
    jordan justin charlie george william james john peter maria anna laura sandra andrea
    alexander alexandra christian christina martin marina sophie samantha elizabeth victoria
    veronica hunter ranger soldier killer ninja pirate wizard warrior knight hacker player
    gamer gangster maverick corvette camaro ferrari porsche mercedes toyota honda yamaha suzuki
    harley davidson money dollar dollars euro cash bank banking finance billing invoice
    invoices payment payments account accounting accountant ledger credit debit bursar treasury
    company business customer cheese chocolate cookie coffee pepper banana cherry peaches
    apples butter sugar honey candy freedom liberty america canada london paris berlin madrid
    moscow tokyo sydney mexico brasil brazil india china japan korea germany france england
    ireland scotland australia africa europe russia music guitar piano metallica nirvana eminem
    slipknot beatles elvis prince madonna shadow silence flower flowers garden butterfly
    blossom summertime midnight darkness computerscience jesus christ god bless blessed faith
    hope peace lucky luck happy smile smiles friend friends family mother father sister brother
    mommy daddy mummy papa mama bigboy biggirl
    """.split()  # noqa: SIM905 - words in lines are read more easily than a column of quotes
)
_LONGEST: Final = max(map(len, _WORDS))


def stem_of(password: str) -> str:
    """What is left without case, frills and figures for letters."""
    bare = _AROUND.sub("", password.casefold())
    return _INSIDE.sub("", bare.translate(_STANDS_FOR))


def is_popular(password: str) -> bool:
    """Whether it is among the first that are tried."""
    plain = password.casefold()
    if len(set(plain)) < _LETTERS_DIFFERENT_MIN:
        return True
    stem = stem_of(password)
    return _is_rows(re.sub(r"\W", "", plain)) or (bool(stem) and _is_words(stem))


def _is_words(stem: str) -> bool:
    """Whether a few of the words in a row make it up."""

    @cache
    def is_from(start: int, left: int) -> bool:
        if start == len(stem):
            return True
        ends = range(start + 1, min(start + _LONGEST, len(stem)) + 1)
        return left > 0 and any(
            stem[start:end] in _WORDS and is_from(end, left - 1) for end in ends
        )

    return is_from(0, _WORDS_IN_A_ROW_MAX)


def _is_rows(plain: str) -> bool:
    """Whether it is made of keys or letters in their order, forward or backward."""
    at = 0
    while at < len(plain):
        length = max(_row_at(plain[at:], row) for each in _ROWS for row in (each, each[::-1]))
        if length < _ROW_LENGTH_MIN:
            # A short rest after rows, such as `qwerty12`, saves nothing.
            return at > 0 and len(plain) - at < _ROW_LENGTH_MIN
        at += length
    return bool(plain)


def _row_at(text: str, row: str) -> int:
    """How much of the text's start is in the row."""
    begin = row.find(text[0])
    if begin < 0:
        return 0
    length = 0
    for letter, expected in zip(text, row[begin:], strict=False):
        if letter != expected:
            break
        length += 1
    return length
