"""The manual page and the completion script, which are made from the tables of the parser."""

import re
import shutil
import subprocess

import pytest

COMMANDS = ["solve", "verify", "info", "generate", "convert"]
KINDS = ["layered", "chain", "vgg16", "resnet50", "unet", "transformer"]


def options_in_help(work, *command):
    return set(re.findall(r"^ .*?--([a-z-]+)", work.run(*command, "--help").out.split("Examples:")[0], re.M))


@pytest.fixture
def page(work):
    r = work.run("--generate", "man")
    assert r.status == 0 and r.err == ""
    return r.out


def test_page_has_every_option(work, page):
    for command in [[c] for c in COMMANDS] + [["generate", kind] for kind in KINDS]:
        options = options_in_help(work, *command)
        assert "help" in options
        for option in options:
            assert f"Fl Fl {option}" in page, (command, option)


def test_page_has_every_exit_status(page):
    text = page.split(".Sh EXIT STATUS")[1]
    for status in range(5):
        assert f".It {status}\n" in text


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not there")
def test_page_is_clean(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def complete(work):
    script = work.run("--generate=complete-bash")
    assert script.status == 0
    work.write("moccasin.bash", script.out)

    def complete(*words):
        """What bash would offer for the last word."""
        quoted = " ".join(f"'{w}'" for w in ("moccasin", *words))
        command = f"""set -eu; source ./moccasin.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}
            _moccasin; printf '%s\\n' "${{COMPREPLY[@]:-}}"; complete -p moccasin >&2"""
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=work.path)
        assert done.returncode == 0 and "_moccasin" in done.stderr, done.stderr
        return set(done.stdout.split())

    return complete


def test_complete_commands(complete):
    assert set(COMMANDS) <= complete("")
    assert complete("so") == {"solve"} and complete("--ver") == {"--version"}
    assert complete("help", "v") == {"verify"}
    assert complete("--generate", "") == {"man", "complete-bash"}


@pytest.mark.parametrize("command", COMMANDS)
def test_complete_options(work, complete, command):
    words = [command, "layered"] if command == "generate" else [command]
    assert complete(*words, "--") == {f"--{o}" for o in options_in_help(work, *words)}


@pytest.mark.parametrize("kind", KINDS)
def test_complete_options_of_kinds(work, complete, kind):
    assert complete("generate", kind, "--") == {f"--{o}" for o in options_in_help(work, "generate", kind)}


def test_complete_values(complete):
    assert complete("solve", "--order", "") == {"input", "auto"}
    assert complete("solve", "--order", "=", "a") == {"auto"}
    assert complete("solve", "--order", "=") == {"input", "auto"}
    assert complete("convert", "a", "b", "--to", "n") == {"node-link"}
    assert complete("generate", "l") == {"layered"}
    assert complete("solve", "--seed", "") == set()
