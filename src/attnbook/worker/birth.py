"""What judge, zygote and forked worker tell each other until the worker is shut in (see ``zygote``)."""

BORN, GO, READY = b"born", b"go", b"ready"
