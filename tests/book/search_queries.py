"""What readers type, and where they want to arrive: one of these places must be among the first five results.

A place without an anchor is any section of that page.
"""

API = "book/api.html#attnbook.nn."
GLOSSARY = "book/glossary.html#"
SELF = "chapters/07_self_attention.html"
TRANSFORMER_LAB = "chapters/10_lab_training_and_testing.html"

QUERIES: dict[str, tuple[str, ...]] = {
    # names in code: ours, torch's, and arguments
    "masked_fill": (f"{API}attention.masked_scores", SELF, "chapters/04_lab_often_wrong.html"),
    "scaled_dot_product_attention": (f"{API}scaled_dot_product_attention",),
    "is_causal": (f"{SELF}#our-masks-torch-s-masks-hugging-face-s",),
    "GRUDecoder": (f"{API}GRUDecoder",),
    "nn.MultiheadAttention": (
        "chapters/08_multi_head_attention.html",
        f"{SELF}#our-masks-torch-s-masks-hugging-face-s",
    ),
    "key_padding_mask": (
        f"{TRANSFORMER_LAB}#its-six-masks",
        f"{SELF}#our-masks-torch-s-masks-hugging-face-s",
    ),
    "causal_mask": (f"{API}causal_mask",),
    "batch_first": (TRANSFORMER_LAB,),
    "repeat_interleave": ("chapters/11_lab_fewer_keys_and_values.html#repeat-interleave-not-repeat",),
    "clip_grad_norm_": (f"{TRANSFORMER_LAB}#what-fit-clips", "chapters/03_the_bottleneck.html"),
    "softmax_or_zeros": (f"{API}attention.softmax_or_zeros",),
    "RotaryPos": (f"{API}RotaryPositions",),
    "attnbook.exercises.check": ("book/api_package.html#attnbook.exercises.check",),
    "HeadExplorer.from_transformers": ("book/your_own_model.html", "book/api_package.html"),
    "dot product scores": (f"{API}attention.dot_product_scores", f"{API}DotScore"),
    # words of formulas
    "softmax": (f"{GLOSSARY}softmax",),
    "sqrt(d_k)": (
        f"{SELF}#why-divide-by-d-k",
        "chapters/02_attention_as_lookup.html#the-equation",
        "chapters/02_attention_as_lookup.html#why-the-root-of-d-k",
    ),
    "QK^T": (SELF, "chapters/02_attention_as_lookup.html"),
    "softmax(QK^T/sqrt(d_k))V": (SELF, "chapters/02_attention_as_lookup.html"),
    "√d_k": (f"{SELF}#why-divide-by-d-k", "chapters/02_attention_as_lookup.html"),
    "W_Q W_K": (f"{SELF}#why-three-matrices-and-what-two-of-them-are-together", SELF),
    # terms and topics
    "teacher forcing": (f"{GLOSSARY}teacher-forcing",),
    "kv cache": (f"{GLOSSARY}kv-cache", "chapters/11_language_models.html#the-kv-cache"),
    "attention sinks": (f"{GLOSSARY}attention-sink", "chapters/14_lab_circuits.html"),
    "label smoothing": (f"{GLOSSARY}label-smoothing", f"{TRANSFORMER_LAB}#label-smoothing"),
    "flash attention": ("chapters/13_efficient_attention.html", GLOSSARY),
    "why divide by the square root": (
        f"{SELF}#why-divide-by-d-k",
        "chapters/02_attention_as_lookup.html#why-the-root-of-d-k",
    ),
    "NaN fully masked row": (
        f"{SELF}#a-word-that-may-attend-to-nothing",
        "book/troubleshooting.html",
    ),
    "BLEU": (f"{GLOSSARY}bleu", "chapters/03_lab_scoring.html#bleu-by-hand"),
    "perplexity": (
        f"{GLOSSARY}perplexity",
        "chapters/03_lab_scoring.html#perplexity-and-how-to-get-it-wrong",
    ),
    "Vaswani": (f"{GLOSSARY}transformer", "book/history.html"),
    "encoder decoder attention": (f"{GLOSSARY}cross-attention", "chapters/10_transformer.html"),
    "colab": ("book/how_to_use.html#in-colab", "book/troubleshooting.html"),
    "ALiBi": (f"{API}ALiBi", f"{GLOSSARY}alibi", "chapters/09_positions.html"),
}

# A slip of the keyboard, and the word that is offered in its place.
MISSPELT = {
    "sofmax": "softmax",
    "bahdanu": "bahdanau",
    "trasformer": "transformer",
    "maksed_fill": "masked_fill",
}
