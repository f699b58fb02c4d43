"""Templates and the two files beside them, read once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from botkit.monitor.web import plots, words

PACKAGE = "botkit.monitor.web"
KINDS = {"style.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class Rendering:
    """Makes pages of records; whatever a template is given is escaped."""

    def __init__(self) -> None:
        folder = resources.files(PACKAGE).joinpath("static")
        self._files = {name: folder.joinpath(name).read_bytes() for name in KINDS}
        self._environment = Environment(
            loader=PackageLoader(PACKAGE, "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "shown": words.shown,
            "stamp": words.stamp,
            "machine_stamp": words.machine_stamp,
            "lasting": words.lasting,
            "percent": words.percent,
            "duration": plots.duration,
            "in_path": lambda text: quote(text, safe=""),
        }
        self._environment.globals |= {"plots": plots, "file": self._address}

    def page(self, template: str, members: Mapping[str, object], status: int = 200) -> HTMLResponse:
        """Make a page."""
        text = self._environment.get_template(template).render(members)
        return HTMLResponse(text, status_code=status)

    def static(self, request: Request) -> Response:
        """Answer for one of the files, which are asked for by what is in them."""
        name = request.path_params["name"]
        if name not in self._files:
            return Response(status_code=404)
        return Response(self._files[name], headers=FOR_EVER, media_type=KINDS[name])

    def _address(self, name: str) -> str:
        return f"/static/{name}?v={hashlib.sha256(self._files[name]).hexdigest()[:12]}"
