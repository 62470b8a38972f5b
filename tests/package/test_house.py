"""The house around the package: what is published was tested, tools are pinned, each target is listed."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from support import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def test_publishing_waits_for_the_tests_and_publishes_what_they_saw():
    publish, tests = workflow("publish"), workflow("test")
    started_by = publish[True]  # YAML reads the key `on` as true
    assert list(started_by) == ["workflow_run"]
    assert started_by["workflow_run"]["workflows"] == [tests["name"]]
    # Of pushes the tests see main and tags of versions alone, and no other run is published.
    assert tests[True]["push"] == {"branches": ["main"], "tags": ["v*"]}
    jobs = publish["jobs"]
    for condition in ("conclusion == 'success'", "event == 'push'", "head_branch == 'main'"):
        assert f"github.event.workflow_run.{condition}" in jobs["build"]["if"]
    assert [jobs[name].get("needs") for name in ("build", "site", "deploy")] == [None, "build", "site"]
    for name in ("build", "site"):
        assert jobs[name]["steps"][0]["with"]["ref"] == "${{ github.event.workflow_run.head_sha }}"


def test_only_the_job_that_installs_nothing_may_write_to_the_repository():
    jobs = workflow("publish")["jobs"]
    writers = [name for name, job in jobs.items() if job.get("permissions", {}).get("contents") == "write"]
    assert writers == ["site"]
    commands = "\n".join(step.get("run", "") for step in jobs["site"]["steps"])
    assert "tools/assemble_site.py" in commands
    assert not re.search(r"pip|npm|make", commands)


def test_what_the_book_offers_to_take_along_is_published():
    offered = re.findall(r"<(take/[^>]+)>", (ROOT / "book" / "how_to_use.md").read_text(encoding="utf-8"))
    assert offered
    steps = "\n".join(step.get("run", "") for step in workflow("publish")["jobs"]["build"]["steps"])
    for name in offered:
        folder, _, file = name.partition("/")
        assert re.search(rf"cp \S*{file} book/_build/html/{folder}/|cp \S+ book/_build/html/{name}", steps), (
            name
        )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_digest_with_their_version_beside_it(path):
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    for line in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_hooks_bring_the_tools_that_the_tests_use():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
        "hooks"
    ]
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for hook in hooks:
        assert hook["language"] == "python", f"{hook['id']} works only where its tools are installed"
        assert set(hook["additional_dependencies"]) <= set(pins), hook["id"]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not there, as on Windows")
def test_help_lists_every_target():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"(?m)^\.PHONY: (.+)$", text).group(1).split()
    assert set(targets) == set(re.findall(r"(?m)^([a-z]+):", text))
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"(?m)^make (\w+)", listed) == targets


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["cellar"], "no stage cellar; choose from style, types, package, notebooks, book"),
        (["--chapter", "77"], "there is no chapter 77; choose one of 00, 01"),
        (["style", "--chapter", "02"], "name stages or a chapter, not both"),
    ],
)
def test_the_runner_refuses_in_one_sentence(words, sentence):
    command = [sys.executable, str(ROOT / "tools" / "test.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_chapters_run_selects_what_names_it_and_nothing_else(pytester):
    pytester.makeconftest((ROOT / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        test_chapter_07="def test_own(): pass",
        test_all="""
            import pytest
            names = ["7.3 name", "17.3 name", "7 heads", "http-chapters/07_x", "10.7 name", "2007_y"]
            @pytest.mark.parametrize("name", names)
            def test_one(name): pass
        """,
    )
    collected = pytester.runpytest("--chapter", "7", "--collect-only", "-q").outlines
    chosen = [line.partition("::")[2] for line in collected if "::" in line]
    assert chosen == ["test_one[7.3 name]", "test_one[http-chapters/07_x]", "test_own"]
