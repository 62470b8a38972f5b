"""Runs a notebook's cells one after the other, as Jupyter does."""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import linecache
from typing import Any

from attnbook.worker import oracle
from attnbook.worker.magics import plain_python


class NoShell:
    """Stands for IPython's shell: accepts every call and does nothing."""

    def __getattr__(self, name):
        return lambda *arguments, **options: None


class Kernel:
    """What lasts from cell to cell: names, ``In`` and ``Out``, what was imported from ``__future__``, one
    loop for ``await``.

    Parameters
    ----------
    namespace : dict
        Where the cells' names live.
    """

    def __init__(self, namespace: dict[str, Any]):
        self.namespace = namespace
        self.flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self.loop: asyncio.AbstractEventLoop | None = None
        self.last: Any = ""  # what `_` is while nobody uses that name for something else
        namespace.update(In=[""], Out={}, _="", get_ipython=NoShell, display=lambda *things, **options: None)

    def run(self, source: str, number: int) -> dict[str, Any]:
        """Run one cell; what stood before an error stays.

        An ``import`` of a package that is not here does not keep the rest of its cell from running: where the
        notebook was written it was there. It is reported all the same.
        """
        name = f"<cell {number}>"
        missing = None
        try:
            source = plain_python(source, self.flags)
            self._remember_input(source, number)
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            tree = compile(source, name, "exec", self.flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            for statement in tree.body:
                try:
                    self._run_statement(statement, name, number, last=statement is tree.body[-1])
                except ModuleNotFoundError as error:
                    if not isinstance(statement, ast.Import | ast.ImportFrom):
                        raise
                    missing = missing or error
        except BaseException as error:
            return {"status": "raised", "error": oracle.describe(error)}
        return {"status": "raised", "error": oracle.describe(missing)} if missing else {"status": "done"}

    def _run_statement(self, statement: ast.stmt, name: str, number: int, last: bool) -> None:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for feature in statement.names:
                self.flags |= getattr(__future__, feature.name).compiler_flag
        if last and isinstance(statement, ast.Expr):
            tree = ast.Expression(statement.value)
            code = compile(tree, name, "eval", self.flags, dont_inherit=True)
        else:
            code = compile(ast.Module([statement], []), name, "exec", self.flags, dont_inherit=True)
        value = eval(code, self.namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            value = self._wait_for(value)
        if value is not None:  # of a statement there is none
            self._remember_output(value, number)

    def _wait_for(self, coroutine: Any) -> Any:
        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(coroutine)

    def _remember_input(self, source: str, number: int) -> None:
        inputs = self.namespace.get("In")
        if isinstance(inputs, list):
            inputs += [""] * (number + 1 - len(inputs))
            inputs[number] = source

    def _remember_output(self, value: Any, number: int) -> None:
        outputs = self.namespace.get("Out")
        if isinstance(outputs, dict):
            outputs[number] = value
        if self.namespace.get("_") is self.last:
            self.namespace["_"] = self.last = value
        self.namespace[f"_{number}"] = value
