"""`loketwacht config`: is it right, what does it say, what may it say."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from cyclopts import App

from monitor import config
from monitor.advice import advice
from monitor.cli.asked_references import tell_silent_references
from monitor.cli.output import DEFAULT_CONFIG, CommandError, ConfigPath, Exit, Json, answer, say
from monitor.clock import LIVE

app = App(name="config", help="Check, show or begin a configuration.")


@app.command
def check(*, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """Read the configuration and everything it includes; tell every problem with its place."""
    loaded = config.load(config_path)
    config.require_mail_keys(loaded, config_path, now_us=LIVE.now_us())
    settings = loaded.config
    beneath = len(settings.name) + len(settings.tcp) + len(settings.smtp)
    counted = (
        (len(settings.journey), "journey", "journeys"),
        (len(settings.browser), "browser journey", "browser journeys"),
        (len(settings.certificate), "certificate check", "certificate checks"),
        (beneath, "check of names, ports and mail servers", "checks of names, ports and mail servers"),
        (len(settings.outpost), "outpost", "outposts"),
        (len(settings.recipient), "recipient", "recipients"),
        (len(loaded.contracts), "contract", "contracts"),
    )
    found = (f"{number} {one if number == 1 else many}" for number, one, many in counted if number)
    say(f"{config_path} is right: {', '.join(found)}.")
    for sentence in advice(settings):
        say(f"Mind: {sentence}")
    tell_silent_references(loaded)
    return Exit.FINE


@app.command
def show(*, config_path: ConfigPath = DEFAULT_CONFIG) -> int:
    """The configuration as it is understood, with fragments put in place and defaults filled in; no secrets."""
    answer(config.load(config_path).config.model_dump(mode="json", by_alias=True, exclude_none=True))
    return Exit.FINE


@app.command
def schema() -> int:
    """The JSON Schema of config.toml, for editors."""
    answer(config.Config.model_json_schema())
    return Exit.FINE


@app.command
def init(directory: Path = Path(), *, json_: Json = False) -> int:
    """Write the example configuration, its journeys and its contract into a directory; nothing is overwritten.

    Parameters
    ----------
    directory
        Where to write; made if it is not there.
    """
    here = {
        "config.toml": _example(),
        "probes/practice/journeys.toml": files("probes") / "practice" / "journeys.toml",
        "sla/example/contract.toml": files("sla") / "example" / "contract.toml",
    }
    taken = [name for name in here if (directory / name).exists()]
    if taken:
        raise CommandError(f"{', '.join(taken)} in {directory} would be overwritten; choose an empty directory.")
    for name, source in here.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    if json_:
        answer({"written": [str(directory / name) for name in here]})
    say(f"Written: {', '.join(str(directory / name) for name in here)}")
    say(f"Next: loketwacht run --practice --config {directory / 'config.toml'}")
    return Exit.FINE


def _example() -> Traversable:
    """config.toml: the wheel carries it inside the package (pyproject.toml), a checkout has it at the top."""
    packed = files("monitor") / "example" / "config.toml"
    return packed if packed.is_file() else Path(__file__).parents[2] / "config.toml"
