"""Mistakes in the settings, as far as a JSON schema can't find them or would quote a value.

No line repeats a value: it may be the token, or a password, in the wrong place.
"""

from __future__ import annotations

import json
import re
import typing as t

import requests
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_ynab.client import is_loopback
from tap_ynab.records import is_date

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOKEN_ADDRESS = "https://app.ynab.com/settings/developer"  # noqa: S105 where to make one

NO_TOKEN = (
    "access_token is missing, empty or not a token. Make a personal access token at "
    f"{TOKEN_ADDRESS} and set YNAB_PERSONAL_ACCESS_TOKEN in .env; outside this Meltano project, "
    "access_token in the config file, or TAP_YNAB_ACCESS_TOKEN"
)
_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›"  # noqa: RUF001 as word processors write them
#: Addresses that all parsers take apart in the same way: a host, perhaps a port and a path, and
#: nothing by which parsers have been led to different hosts.
_ADDRESS = re.compile(
    r"https?://([a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
    r"(/[a-z0-9/._~%+-]*)?",
    re.IGNORECASE | re.ASCII,
)
_KINDS = {
    "string": "a string",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list of strings",
    "object": "an object as `tap-ynab --about` describes it",
}
#: The forms of values in the environment. The SDK would take any other word for false, and not name
#: the variable of any other number.
_WORDS = {
    "integer": re.compile(r"-?[0-9]{1,9}"),
    "boolean": re.compile(r"true|1|yes|on|false|0|no|off", re.IGNORECASE | re.ASCII),
}


def mistakes_of_kind(schema: Mapping[str, t.Any], config: Mapping[str, t.Any]) -> list[str]:
    """Return a line for each setting that the JSON schema refuses."""
    errors = DEFAULT_JSONSCHEMA_VALIDATOR(schema).iter_errors(dict(config))
    names = dict.fromkeys(error.path[0] if error.path else "access_token" for error in errors)
    return [
        NO_TOKEN if name == "access_token" else f"{name} must be {_wanted(schema, str(name))}"
        for name in names
    ]


def mistakes_in_environment(
    schema: Mapping[str, t.Any], prefix: str, environment: Mapping[str, str]
) -> list[str]:
    """Return a line for each variable that does not hold a value of its setting's kind."""
    found = []
    for name in schema["properties"]:
        text, kind = environment.get(variable := prefix + name.upper()), _kind(schema, name)
        if text is not None and not _is_kind(text, kind):
            found.append(f"{variable} must be {_wanted(schema, name)}")
    return found


def mistakes_of_value(config: Mapping[str, t.Any]) -> Iterator[str]:
    """Yield a line for each setting whose value is of the right kind and still wrong."""
    token = config["access_token"].strip()
    if token and (token[0] in _QUOTES or token[-1] in _QUOTES):
        yield "access_token is in quotes. Set it to the token without them"
    elif re.match(r"bearer\s", token, re.IGNORECASE):
        yield 'access_token begins with "Bearer". Set it to the token without that word'
    elif not re.fullmatch(r"[!-~]+", token):
        yield NO_TOKEN
    try:
        listed(config.get("budget_ids"))
    except (ValueError, RecursionError):
        yield "budget_ids must be ids of budgets, as a list of strings or separated by commas"
    if not is_date(config["since_date"]):
        yield "since_date must be a date such as 2015-01-31"
    if not _is_private(config["api_url"]):
        yield (
            "api_url must be an address such as https://api.ynab.com/v1, without user, query or "
            "fragment. Plain http:// is for this machine only (localhost, 127.0.0.1 or [::1]), or "
            "the token could be read on its way"
        )
    if not re.fullmatch(r"[ -~]*", config.get("user_agent") or ""):
        yield "user_agent must be one line of ASCII characters"


def listed(value: Sequence[str] | str | None) -> list[str]:
    """Return a list that a setting holds as a list, as JSON text, or separated by commas.

    Raises:
        ValueError: It is JSON text of something else.
    """
    if not isinstance(value, str):
        return list(value or ())
    if value.lstrip().startswith(("[", "{")):
        found = json.loads(value)
        if not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            raise ValueError
        return found
    return [one.strip() for one in value.split(",") if one.strip()]


def _is_private(url: str) -> bool:
    """Tell if nobody can read what is sent to an address on its way."""
    if not _ADDRESS.fullmatch(url):
        return False
    try:
        requests.Request("GET", url).prepare()
    except requests.RequestException:  # a port or name that can't be
        return False
    return url.lower().startswith("https:") or is_loopback(url)


def _kind(schema: Mapping[str, t.Any], name: str) -> str:
    return str(next(kind for kind in schema["properties"][name]["type"] if kind != "null"))


def _wanted(schema: Mapping[str, t.Any], name: str) -> str:
    """Return the values that a setting takes, in words."""
    definition = schema["properties"][name]
    low, high = definition.get("minimum"), definition.get("maximum")
    limits = f" from {low} to {high}" if high else "" if low is None else f", at least {low}"
    return _KINDS[_kind(schema, name)] + limits


def _is_kind(text: str, kind: str) -> bool:
    if kind == "object":
        try:
            return isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            return False
    return kind not in _WORDS or bool(_WORDS[kind].fullmatch(text))
