"""Where the registry's parts meet: `create_app` builds the database, the sandbox, the use cases and the routes."""

from __future__ import annotations

import atexit
import threading
from importlib.metadata import version

from deedbox.registry.config import Settings
from deedbox.registry.sandbox.pool import Sandbox
from deedbox.registry.services import Services
from deedbox.registry.storage import migrate
from deedbox.registry.storage.database import Database
from deedbox.registry.web import (
    api,
    dead_letters_api,
    fields_api,
    health,
    index,
    logs,
    metrics,
    models,
    npm,
    observations_api,
    origins,
    packages_api,
    pages,
    problems,
    replay_orders_api,
    replays_api,
    request_ids,
    schemas_api,
)
from deedbox.registry.web.replies import Replies, Shortcut
from deedbox.registry.working import Worker
from flask_openapi import Info, OpenAPI


def create_app(settings: Settings, *, migrated: bool = False) -> OpenAPI:
    """The WSGI application.

    Args:
        settings: see `config`.
        migrated: the database is known to be at this release's revision; else it is brought there now.

    Raises:
        StorageUnavailable: the database does not answer. ConfigurationError: a setting that cannot work.
    """
    settings.check()
    database = Database(settings.database_url, settings.busy_seconds)
    if not migrated:
        migrate.upgrade(database)
    sandbox = Sandbox(
        settings.compare_workers, settings.compare_seconds, settings.compare_memory_mb, settings.compare_queue_seconds
    )
    atexit.register(sandbox.close)
    services = Services(database, sandbox, settings)
    app = OpenAPI(
        "deedbox.registry",
        info=Info(
            title="Deedbox",
            version=version("deedbox"),
            description="Contracts, their versions, and whether a change breaks anyone.",
        ),
        doc_ui=False,
        validation_error_model=models.Problem,
        validation_error_callback=problems.invalid_parameters,
    )
    # 3.2 has nothing that is used here, and fewer tools read it.
    app.openapi_version = "3.1.0"
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    # An upload's form has the package's whole description beside its file.
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    app.extensions["deedbox"] = services
    replies = Replies(database)
    request_ids.install(app)
    origins.install(app)
    metrics.install(app, services)
    problems.install(app)
    health.install(app, services)
    app.register_api(api.blueprint(services, replies))
    app.register_api(observations_api.blueprint(services))
    app.register_api(replays_api.blueprint(services))
    app.register_api(dead_letters_api.blueprint(services))
    app.register_api(replay_orders_api.blueprint(services))
    app.register_api(fields_api.blueprint(services))
    app.register_api(packages_api.blueprint(services, replies))
    app.register_api(schemas_api.blueprint(services))
    for model in (
        models.PublishBody,
        models.CheckBody,
        models.ServiceBody,
        models.RetirementBody,
        models.DeploymentBody,
    ):
        api.describe(app, model)
    observations_api.describe(app)
    replays_api.describe(app)
    dead_letters_api.describe(app)
    replay_orders_api.describe(app)
    fields_api.describe(app)
    packages_api.describe(app)
    index.install(app, services)
    npm.install(app, services)
    pages.install(app, services, replies)
    logs.install(app)
    app.wsgi_app = Shortcut(app.wsgi_app, replies)  # type: ignore[method-assign]
    return app


def warm_up(app: OpenAPI) -> None:
    """Starts the comparing processes and reads the system ahead of the first request, beside whatever else is done."""
    services: Services = app.extensions["deedbox"]
    threading.Thread(target=services.sandbox.start, daemon=True).start()
    threading.Thread(target=services.browsing.warm_up, daemon=True).start()


def start_working(app: OpenAPI, settings: Settings) -> None:
    """Starts working on jobs beside the requests; what is under way at the end is given back."""
    if settings.job_workers:
        services: Services = app.extensions["deedbox"]
        worker = Worker(services.slow, settings.job_workers)
        atexit.register(worker.stop)
        worker.start()
