"""The engine's state in Prefect's own tables, by Prefect's own functions."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from prefect.server.database import orm_models
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_interface
from prefect.server.events.models.automations import automations_session
from prefect.server.events.triggers import sweep_closed_buckets
from prefect.types._datetime import create_datetime_instance
from sqlalchemy.ext.asyncio import AsyncSession

from alerting.scenarios.windows import Session, Windows

STATE = (orm_models.AutomationBucket, orm_models.CompositeTriggerChildFiring)


class SqlWindows(Windows):
    """Stands in for nothing."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._url = f"sqlite+aiosqlite:///{file}"
        self._database = sa.create_engine(f"sqlite:///{file}")
        # Automations are not stored here, so their rows are not to be missed.
        tables: list[Any] = [orm_models.Automation.__table__, *(m.__table__ for m in STATE)]
        orm_models.Base.metadata.create_all(self._database, tables=tables)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Prefect's functions use this database."""
        config = _WithoutForeignKeys(self._url)
        with temporary_database_interface(tmp_database_config=config):
            yield

    def stand_ins(self) -> dict[str, Callable[..., Any]]:
        return {}

    def clear(self) -> None:
        with self._database.begin() as connection:
            for model in STATE:
                connection.execute(sa.delete(model))

    def triggers(self) -> set[UUID]:
        with self._database.connect() as connection:
            return set(connection.scalars(sa.select(orm_models.AutomationBucket.trigger_id)))

    async def sweep_closed_buckets(self, _: Session, older_than: datetime) -> None:
        session: AsyncSession
        async with automations_session(begin_transaction=True) as session:
            # The overloads of Prefect's decorator resolve by the order in which mypy reads files.
            sweep = cast("Callable[..., Awaitable[None]]", sweep_closed_buckets)
            await sweep(session, create_datetime_instance(older_than))


class _WithoutForeignKeys(AioSqliteConfiguration):
    def setup_sqlite(self, conn: Any, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        super().setup_sqlite(conn, record)
        cursor = conn.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.close()
