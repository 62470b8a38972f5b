"""What stored models are built with, one file a family, each with its ``ARCHITECTURES``: name → function.

A function takes a model's configuration as keyword arguments, and beside it ``n_NAME``, the size of each of
its vocabularies: ``recurrent(n_src=210, n_tgt=326, attention="additive", …)``. It returns an untrained model.
"""
