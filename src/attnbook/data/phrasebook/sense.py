"""What verbs and adjectives mean, as far as sense between clauses needs it: moments, habits, states, reasons.

Verbs are named by their English base; True stands for "does not": she does *not* sing because she is sad.
"""

# verbs of state, which English does not put in the progressive
STATIVE = {"love", "see", "hear", "want", "say", "think", "believe", "know", "admire", "forget"}
MOMENTS = {"find", "lose", "fall", "accept"}  # "is finding it" is rare English
NEVER_PROGRESSIVE = STATIVE | MOMENTS
PUNCTUAL = {"arrive", "stop", "leave", "fall", "see", "find", "lose", "hear", "open"}  # "when he arrived"
LASTING = {"love", "sleep", "work", "rest", "wait", "admire"}  # no "she loved him when he arrived"
HABITS = {"sleep", "sing", "work", "laugh", "dance", "rest"}  # "when the children sleep"
MEANWHILE = {*HABITS, "read", "write", "eat", "watch", "listen", "clean", "paint", "help", "run", "swim"}
NEVER_ANY = {"lose", "love", "forget", "sign", "admire"}  # no "does not lose a book"
LOSSES = {"lose", "fall", "worry", "hide"}

# dimensions of adjectives
PASSING = {"energy", "health", "mood", "strength", "fear"}  # states, of which one can say when
UNGRADED = {"colour", "origin"}  # no "very red"
TOO_MUCH = {"size", "age", "width", "length", "weight", "ease", "warmth", "energy", "health", "strength"}

DARK = {"old", "small", "tired", "sick", "sad", "weak", "bad", "difficult", "dangerous", "afraid", "heavy",
        "narrow", "slippery", "empty", "dry", "cold"}  # fmt: skip
CROSSING_PATH = ("wide", "long", "dangerous", "slippery")  # said of what is crossed

# somebody does (not) do it because he is …
STATES: dict[tuple[str, bool], tuple[str, ...]] = {
    ("sleep", False): ("tired", "sick"),
    ("stop", False): ("tired", "sick", "afraid"),
    ("rest", False): ("tired", "sick", "weak"),
    ("sing", False): ("happy",),
    ("dance", False): ("happy",),
    ("laugh", False): ("happy",),
    ("leave", False): ("tired", "sad", "afraid"),
    ("hide", False): ("afraid",),
    ("run", False): ("afraid",),
    ("fall", False): ("tired", "weak"),
    ("sing", True): ("tired", "sick", "sad"),
    ("dance", True): ("tired", "sick", "sad"),
    ("laugh", True): ("tired", "sad"),
    ("sleep", True): ("sick", "happy", "sad", "afraid"),
    ("work", True): ("tired", "sick", "weak"),
    ("arrive", True): ("sick", "tired"),
    ("leave", True): ("sick", "tired", "weak"),
    ("run", True): ("tired", "sick", "weak"),
    ("swim", True): ("tired", "sick", "afraid"),
    ("eat", True): ("sick", "tired", "sad"),
    ("read", True): ("tired", "sick"),
    ("write", True): ("tired", "sick", "sad"),
    ("cross", True): ("tired", "sick", "weak", "afraid"),
    ("help", True): ("tired", "sick", "weak"),
    ("clean", True): ("tired", "sick"),
    ("listen", True): ("tired", "sad"),
    ("follow", True): ("tired", "sick", "afraid"),
}

# somebody does (not) do it to a thing because that is …; said with "too" of what somebody does not do
PROPERTIES: dict[tuple[str, bool], tuple[str, ...]] = {
    ("love", False): ("beautiful", "good", "interesting", "pretty"),
    ("buy", False): ("beautiful", "good", "interesting", "pretty"),
    ("choose", False): ("beautiful", "good", "interesting", "pretty"),
    ("admire", False): ("beautiful", "famous"),
    ("read", False): ("interesting", "important"),
    ("publish", False): ("interesting", "important"),
    ("translate", False): ("interesting", "important"),
    ("sign", False): ("important",),
    ("accept", False): ("important",),
    ("eat", False): ("good",),
    ("watch", False): ("beautiful",),
    ("buy", True): ("big", "small", "old", "heavy"),
    ("choose", True): ("big", "small", "old", "heavy"),
    ("sell", True): ("old", "small", "big"),
    ("read", True): ("long", "difficult"),
    ("translate", True): ("long", "difficult"),
    ("eat", True): ("hot", "cold", "big", "dry"),
    ("find", True): ("small",),
    ("see", True): ("small",),
    ("paint", True): ("big", "old"),
    ("clean", True): ("old", "big"),
}

# somebody is … because another one does (not) do it
EVENTS: dict[str, tuple[tuple[str, bool], ...]] = {
    "happy": (("arrive", False), ("find", False), ("sing", False), ("dance", False), ("help", False)),
    "sad": (("lose", False), ("arrive", True), ("leave", False), ("fall", False), ("find", True)),
}

# somebody is … because he himself does (not) do it
OWN_EVENTS: dict[str, tuple[tuple[str, bool], ...]] = {
    "tired": (("work", False), ("sleep", True), ("run", False), ("dance", False), ("rest", True)),
    "happy": (("find", False), ("arrive", False), ("buy", False)),
    "sad": (("lose", False), ("find", True)),
}
