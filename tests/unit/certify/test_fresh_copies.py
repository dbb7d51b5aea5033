"""Fresh databases for tests: quick copies of what was prepared once."""

import asyncpg
import pytest

PREPARED = []


async def prepare(url: str) -> None:
    PREPARED.append(url)
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 5 AS number")
    await connection.close()


async def count(url):
    connection = await asyncpg.connect(url)
    found = await connection.fetchval("SELECT count(*) FROM kept")
    await connection.execute("INSERT INTO kept VALUES (6)")
    await connection.close()
    return found


async def test_each_database_is_as_it_was_prepared_once_whatever_the_last_one_became(postgres):
    for _ in range(3):
        async with postgres.database(prepare) as url:
            assert await count(url) == 1
    assert len(PREPARED) == 1


async def test_a_database_goes_with_its_block_though_connections_are_open(postgres):
    async with postgres.database() as url:
        connection = await asyncpg.connect(url)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    connection.terminate()
