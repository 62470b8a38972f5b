"""``tools/prose.py`` keeps sentences of our own and nothing else."""

from prose import plain, quizzes, sentences


def test_links_and_emphasis_leave_their_words():
    text = "A *query* meets the **keys** of [chapter 2](02_x.ipynb). It is’s “soft”, 3 × 3."
    assert plain(text) == ['A query meets the keys of chapter 2. It is\'s "soft", 3 x 3.']


def test_formulas_code_tables_and_quotations_are_left_out():
    text = """It reads $x$ once. This stays here.

$$
y = x
$$

| a | table |
|---|---|

> Somebody else wrote these words.

```python
print("code that is no prose.")
```

- An item of a list is a paragraph.
- `code` is not.

He said "these are nine words of a paper that we cite" to us. So it goes on."""
    assert plain(text) == ["This stays here.", "An item of a list is a paragraph.", "So it goes on."]


def test_a_sentence_does_not_end_behind_et_al():
    assert sentences("Cho et al. Wrote of it. Then others did.") == [
        "Cho et al. Wrote of it.",
        "Then others did.",
    ]


def test_quizzes_give_questions_and_explanations():
    code = 'Quiz([{"question": "Why?", "options": ["a"], "answer": 0, "explanations": ["Because."]}])'
    assert quizzes(code) == ["Why?", "Because."]
