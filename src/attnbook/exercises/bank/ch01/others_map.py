"""1.4: what the other viewers say of where one viewer looks."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# Who is averaged for each viewer: (maps) → (sums (viewers, h, w), how many).
WHO = Mistakes(
    "who",
    right=lambda maps: (maps.sum(dim=0) - maps, len(maps) - 1),
    included=Wrong(
        lambda maps: (maps.sum(dim=0).expand(maps.shape), len(maps)),
        "Each viewer is among those who predict him. So he is told in part by himself, and even viewers who "
        "look at random seem to agree.",
    ),
    self=Wrong(
        lambda maps: (maps, 1),
        "Each viewer gets his own map. Wanted is what all the *others* say of him.",
    ),
)
SHARE = Mistakes(
    "share",
    right=lambda total, count, viewers: total / count,
    all=Wrong(
        lambda total, count, viewers: total / viewers,
        "The others are added up rightly, and divided by the number of all viewers. There is one fewer of "
        "them.",
    ),
    sum=Wrong(
        lambda total, count, viewers: total,
        "The maps are added up and not divided: with more viewers everything looks more salient.",
    ),
)


def others_map(maps, *, who=WHO.right, share=SHARE.right):
    return share(*who(maps), len(maps))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        viewers, h, w = draw.sizes(3, 3, 9)
        found.append(Case({"maps": draw.uniform(viewers, h, w, low=0.1, high=1.0)}))
    return found


EXERCISE = Function(
    id="1.4",
    title="In agreement with oneself",
    bug=True,
    points=2,
    minutes=8,
    difficulty="medium",
    signature="others_map(maps)",
    outputs=(Output("others", ("viewers", "h", "w")),),
    reference=others_map,
    cases=cases,
    mistakes=(WHO, SHARE),
    meaningless=((WHO["included"], SHARE["all"]), (WHO["self"], SHARE["sum"])),
    hints=(
        "The maps of the example are random numbers, so no viewer knows anything about another. Where does "
        "the agreement come from?",
        "Whose map is in the mean that viewer 0 is compared with?",
        "The sum of all maps, less one's own, divided by one less than there are viewers.",
    ),
)
