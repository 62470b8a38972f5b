"""The first code cell of every notebook, the same byte for byte."""

from project import repository, version

TEMPLATE = """\
# NBVAL_IGNORE_OUTPUT
try:
    import attnbook
except ModuleNotFoundError:  # opened alone, as in Colab: install this version
    source = "git+{repository}@v{version}"
    %pip install -q "attnbook[experiments] @ {{source}}"
    import attnbook

attnbook.seed(0)
device = attnbook.device()  # cuda, mps or cpu: every tensor and model goes there
print(f"attnbook {{attnbook.__version__}} on {{device}}")"""


def first_cell() -> str:
    """The cell's source for this version of the package."""
    return TEMPLATE.format(repository=repository(), version=version())
