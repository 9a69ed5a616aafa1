"""Where a store is: its URL as a parameter says it, and nothing secret in it."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from riot_tasks.showing import shown


def address(value: object, forms: Mapping[str, str], *, extra: Mapping[str, str]) -> SplitResult:
    """The parts of a parameter `store`, a URL.

    Args:
        value: the parameter.
        forms: scheme to an example of such a URL.
        extra: scheme to the module of the extra `stores` that it needs, for those that need one.

    Raises:
        ValueError: it is no such URL, has credentials or options in it (which are not repeated), or needs
            what is not installed.
    """
    examples = ", ".join(forms.values())
    if not isinstance(value, str):
        raise ValueError(f"store: must be a URL: {examples} (is {shown(value)})")  # noqa: TRY004 - one error for all of config
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError(f"store: {shown(value)} is no URL: {error}") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("store: no credentials or options in the URL; give credentials: {file: path}, or set them")
    if parts.scheme not in forms:
        raise ValueError(f"store: {shown(value)} is no store; write one of {examples}")
    needed = extra.get(parts.scheme)
    if needed and not _installed(needed):
        raise ValueError(f"store: {parts.scheme}:// needs {needed}, which is not there; pip install 'riotd[stores]'")
    return parts


def local_path(parts: SplitResult) -> Path:
    """The path that a URL of this machine names.

    Raises:
        ValueError: it names another host, or no path.
    """
    if parts.netloc not in ("", "localhost"):
        raise ValueError(f"store: {parts.geturl()} names the host {parts.netloc}; a path begins with a third slash")
    if not parts.path.strip("/"):
        raise ValueError(f"store: the URL names no path; write {parts.scheme}:///var/lib/riotd/name")
    return Path(unquote(parts.path))


def bucket(parts: SplitResult, what: str) -> str:
    """The name a URL has in the place of a host.

    Raises:
        ValueError: it has none.
    """
    if not parts.netloc:
        raise ValueError(f"store: the URL names no {what}; write {parts.scheme}://{what}")
    return parts.netloc


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False
