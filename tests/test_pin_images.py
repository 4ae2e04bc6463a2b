"""scripts/pin_images.py: images by their content, in the compose file and the Dockerfile, or nothing at all."""

import shutil

import pytest
import yaml

from scripts import pin_images
from scripts.pin_images import ROOT, images, main

COMPOSE, DOCKERFILE = pin_images.FILES


@pytest.fixture
def copied(tmp_path):
    for name in pin_images.FILES:
        # As they are without a digest, so that this holds once they are pinned too.
        text = pin_images.IMAGE.sub(lambda match: match[1] + match[2], (ROOT / name).read_text("utf-8"))
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def registry(tmp_path_factory, monkeypatch):
    """A skopeo that answers as this shell script does, and no docker."""
    tools = tmp_path_factory.mktemp("tools")
    monkeypatch.setenv("PATH", str(tools))

    def answers(script):
        tool = tools / "skopeo"
        tool.write_text(f"#!{shell}\n{script}\n")
        tool.chmod(0o755)

    return answers


shell = shutil.which("sh")
# Each image has another digest, and the tag of a day gives another one on the next.
DIGESTS = """case "$*" in
*"docker://nginx:"*) c=1;; *"docker://postgres:"*) c=2;; *"docker://python:"*) c=3;; *) exit 9;;
esac
printf 'sha256:%063d%s\\n' $c DAY"""


def texts(root):
    return [(root / name).read_text("utf-8") for name in pin_images.FILES]


def parts(root):
    """The compose file as compose reads it, with the names of images aside."""
    services = yaml.safe_load((root / COMPOSE).read_text("utf-8"))["services"]
    named = {name: one.pop("image") for name, one in services.items() if "image" in one}
    return services, named


def test_it_knows_every_image_that_the_two_files_name():
    by_compose = {one["image"].partition("@")[0] for one in parts_of_services(ROOT) if "image" in one}
    lines = [line.split() for line in (ROOT / DOCKERFILE).read_text("utf-8").splitlines()]
    by_the_dockerfile = {line[1].partition("@")[0] for line in lines if line[:1] == ["FROM"]}
    assert set(images(ROOT)) == by_compose | by_the_dockerfile
    assert len(by_compose) == 2
    assert len(by_the_dockerfile) == 1


def parts_of_services(root):
    return yaml.safe_load((root / COMPOSE).read_text("utf-8"))["services"].values()


def test_each_is_named_by_its_content_and_nothing_else_changes(copied, registry, capsys):
    before, named = parts(copied)
    assert main(copied, ["--check"]) == 1
    assert capsys.readouterr().err.count("is named by a tag alone") == 3
    registry(DIGESTS.replace("DAY", "a"))
    assert main(copied, []) == 0
    after, pinned = parts(copied)
    assert after == before
    assert pinned == {
        name: f"{image}@sha256:{'1' if image.startswith('nginx') else '2':0>63}a"
        for name, image in named.items()
    }
    assert (copied / DOCKERFILE).read_text("utf-8").count(f"@sha256:{'3':0>63}a") == 2
    assert "slim-trixie@sha256:" in (copied / DOCKERFILE).read_text("utf-8").splitlines()[1], (
        "and its stage stays"
    )
    assert main(copied, ["--check"]) == 0
    capsys.readouterr()
    assert main(copied, []) == 0
    assert capsys.readouterr().out.count("(as before)") == 3
    registry(DIGESTS.replace("DAY", "b"))
    assert main(copied, []) == 0
    assert not any(
        "a\n" in line and "sha256" in line for text in texts(copied) for line in text.splitlines(True)
    )
    assert texts(copied)[0].count("@sha256:") == 2


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('case "$*" in *postgres*) echo "no such host" >&2; exit 1;; esac; ' + DIGESTS, "(no such host)"),
        ("echo manifest", "could not be asked (manifest)"),
        ("exit 1", "(no answer)"),
    ],
)
def test_where_one_registry_cannot_be_asked_nothing_is_written_and_it_says_so(
    copied, registry, capsys, script, said
):
    registry(script.replace("DAY", "a"))
    before = texts(copied)
    assert main(copied, []) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.startswith("The registry of ")
    assert told.endswith("Nothing was written: the images are named as before.\n")
    assert texts(copied) == before


@pytest.mark.parametrize(
    "line",
    [
        "FROM --platform=linux/amd64 python:3.11",
        "FROM python",
        'FROM "python:3.11"',
        "COPY --from=python:3.11 /a /a",
    ],
)
def test_an_image_that_it_cannot_read_does_not_pass_for_pinned(copied, registry, capsys, line):
    registry(DIGESTS.replace("DAY", "a"))
    assert main(copied, []) == 0
    assert main(copied, ["--check"]) == 0
    with (copied / DOCKERFILE).open("a") as file:
        file.write(f"{line}\n")
    assert main(copied, ["--check"]) == 2
    assert "Dockerfile names an image in a way that this script does not know" in capsys.readouterr().err


def test_an_image_that_is_pinned_at_one_of_two_places_is_not_pinned(copied, registry, capsys):
    registry(DIGESTS.replace("DAY", "a"))
    assert main(copied, []) == 0
    text = (copied / DOCKERFILE).read_text("utf-8")
    pinned = next(found for found in pin_images.IMAGE.finditer(text))
    (copied / DOCKERFILE).write_text(text.replace(pinned[0], pinned[1] + pinned[2], 1), "utf-8")
    assert main(copied, ["--check"]) == 1
    assert capsys.readouterr().err.count("is named by a tag alone") == 1


def test_without_a_tool_it_says_which_one_to_install(copied, registry, capsys):
    before = texts(copied)
    assert main(copied, []) == 2
    assert "Neither skopeo nor docker with buildx is installed here" in capsys.readouterr().err
    assert texts(copied) == before
