"""What every test run shares, nbval's among them."""

import os

# A progress bar writes to stderr, which nbval compares: readers see bars, tests do not.
os.environ["TQDM_DISABLE"] = "1"
# Checks in notebooks keep a record of progress: a test leaves that of whoever runs it alone.
os.environ.setdefault("ATTNBOOK_PROGRESS", "off")
