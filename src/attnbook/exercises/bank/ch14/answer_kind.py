"""14.1: which attention fits a job."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="14.1",
    title="Choose the attention",
    points=1,
    minutes=5,
    difficulty="easy",
    signature='answer_kind = "a"',
    reference=lambda: "d",
    nearby=(
        Nearby(
            "a",
            "It would work, and each of the 4,000 frames would be compared with all 4,000. What does the job "
            "say about where the words stand in the recording?",
        ),
        Nearby(
            "b",
            "One query for the whole recording gives one vector for the whole recording: the bottleneck of "
            "chapter 3. Each written word needs a context of its own.",
        ),
        Nearby(
            "c",
            "A draw has no derivative, so the scores would have to be trained with REINFORCE. Nothing in the "
            "job asks for one single frame.",
        ),
    ),
    hints=(
        "Who asks, and who answers? The words that are written ask; the frames of the recording answer.",
        "The order of the words is the order of the frames. So for each word most frames can be left out.",
        "Cross-attention, and of the frames only those near a place that moves on: chapter 5's window.",
    ),
)
