"""The application: services, transports and pages meet here and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable

from quart import Quart, Response, current_app, send_from_directory

from quartchat.addresses import IN_FULL
from quartchat.assemble import assemble
from quartchat.config import Settings
from quartchat.errors import NotFound
from quartchat.operator import Operator
from quartchat.paths import folder
from quartchat.services import Services
from quartchat.storage.opening import made_ready
from quartchat.store import migrate
from quartchat.transports import table
from quartchat.web import (
    account,
    admin_pages,
    api,
    api_admin,
    api_messages,
    api_notifications,
    api_people,
    api_publish,
    api_rooms,
    api_search,
    bodies,
    doctor,
    doctor_probes,
    doctor_streams,
    doors,
    file_pages,
    headers,
    health,
    invite_pages,
    list_pages,
    live,
    look,
    manage_pages,
    message_pages,
    notification_pages,
    now,
    now_frame,
    pages,
    people_pages,
    pictures,
    problems,
    profile_pages,
    room_pages,
    search_pages,
    settings_pages,
    uploads,
)
from quartchat.web.fragments import Fragments
from quartchat.web.proxies import TrustProxies
from quartchat.web.render import Renderer
from quartchat.web.signs import Signs

PAGES = (
    look,
    api,
    api_messages,
    api_people,
    api_publish,
    api_rooms,
    api_search,
    api_notifications,
    api_admin,
    account,
    doors,
    list_pages,
    people_pages,
    notification_pages,
    profile_pages,
    settings_pages,
    room_pages,
    manage_pages,
    message_pages,
    invite_pages,
    search_pages,
    admin_pages,
    pictures,
    uploads,
    file_pages,
    pages,
    live,
    now,
    now_frame,
    health,
    doctor,
    doctor_probes,
    doctor_streams,
)
FOR_EVER = "public, max-age=31536000, immutable"


class QuartChat(Quart):
    """The application; `chat` is what an embedding program notifies by."""

    request_class = bodies.Request
    chat: Operator

    async def drain(self) -> None:
        """For a server that is about to stop: tells all open streams to end and to come back,
        and returns when they have ended, after `drain_seconds` at the latest."""
        services: Services = self.extensions["quartchat"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(services.settings.drain_seconds):
                await services.sessions.drain()


def create_app(settings: Settings, *, clock: Callable[[], float] = time.time) -> QuartChat:
    """The ASGI application over the data in `settings.data`, opened when it starts.

    `app.extensions["quartchat"]` holds its Services. Raises SettingsError for keys that
    cannot be used.
    """
    renderer = Renderer(folder("templates"), folder("static"), settings.site_name)
    fragments = Fragments(renderer)
    services = assemble(settings, fragments.speaking, clock)
    app = QuartChat("quartchat", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=settings.max_frame * 2, PROVIDE_AUTOMATIC_OPTIONS=True)
    app.extensions["quartchat"] = services
    app.chat = services.operator
    app.extensions["quartchat.renderer"] = renderer
    app.extensions["quartchat.fragments"] = fragments
    app.extensions["quartchat.signs"] = Signs()
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    for blueprint in table.ALL:
        app.register_blueprint(blueprint)
    _name_in_full(app)
    app.add_url_rule("/s/<address>", "file", file)
    app.add_url_rule("/static/<path:name>", "static", static)
    headers.install(app)
    problems.install(app)
    app.while_serving(lambda: running(services))
    app.asgi_app = bodies.Paced(app.asgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.asgi_app = TrustProxies(app.asgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def _name_in_full(app: Quart) -> None:
    """The pages under the longer names of `addresses.IN_FULL` too."""
    for rule in list(app.url_map.iter_rules()):
        for short, full in IN_FULL.items():
            if rule.rule == short or rule.rule.startswith(f"{short}/"):
                methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
                path = full + rule.rule.removeprefix(short)
                app.add_url_rule(path, rule.endpoint, methods=methods)


async def file(address: str) -> Response:
    """A file of `static/` as the pages name it."""
    renderer: Renderer = current_app.extensions["quartchat.renderer"]
    found = renderer.files.at(address)
    if found is None:
        raise NotFound
    headers = {"Content-Type": found.type, "Cache-Control": FOR_EVER}
    return Response(found.content, headers=headers)


async def static(name: str) -> Response:
    """A file of `static/` by its name, for who refers to it from outside."""
    try:
        response = await send_from_directory(folder("static"), name, conditional=False)
    except OSError:  # a name that no file system takes
        raise NotFound from None
    response.headers["Cache-Control"] = "no-cache"
    return response


async def running(services: Services) -> AsyncGenerator[None]:
    """The store is open as long as the application runs, and closes last."""
    await migrate.ensure(services.database)
    await made_ready(services.storage)
    await services.feed.start()
    services.writer.start()
    tasks = [
        asyncio.create_task(services.feed.follow(services.settings.follow_seconds)),
        asyncio.create_task(services.presence.run()),
        asyncio.create_task(services.sweeper.run()),
    ]
    services.operator.is_open = True
    try:
        yield
    finally:
        services.operator.is_open = False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await services.uploads.close()
            await services.presence.close()
            await services.writer.close()
        finally:
            await services.storage.close()
            await services.database.close()
