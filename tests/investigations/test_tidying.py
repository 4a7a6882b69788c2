"""What is kept long enough goes, and nothing else."""

from sqlalchemy import func, select

from bot.model import Ask, Place, Source
from bot.rules.audit import KEPT_FOR
from bot.rules.tables import audit, cooldowns, spending
from bot.tidying import Tidying
from tests.clock import Clock
from tests.investigations.world import ALERT, World


async def counts(world: World) -> list[int]:
    async with world.database.transaction() as connection:
        return [
            int((await connection.execute(select(func.count()).select_from(table))).scalar_one())
            for table in (audit, cooldowns, spending)
        ]


async def test_old_rows_go(both_worlds: World, clock: Clock) -> None:
    world = both_worlds
    tidying = Tidying(world.database, clock=clock)
    await world.bot.ask(Ask("auto:1", ALERT, Place("T1", "C1"), "", Source.AUTOMATIC))
    assert await counts(world) == [1, 1, 2]

    await tidying.step()
    clock.wind(8 * 24 * 3600)
    await tidying.step()
    assert await counts(world) == [1, 0, 2]

    a_day = 24 * 3600
    clock.wind(KEPT_FOR - 10 * a_day)
    await tidying.step()
    assert await counts(world) == [1, 0, 2]
    clock.wind(3 * a_day)
    await tidying.step()
    assert await counts(world) == [0, 0, 0]


async def test_asked_again_at_once_nothing_is_looked_at(world: World, clock: Clock) -> None:
    tidying = Tidying(world.database, clock=lambda: 1.0)
    await tidying.step()
    await world.bot.ask(Ask("auto:1", ALERT, Place("T1", "C1"), "", Source.AUTOMATIC))
    clock.wind(2 * KEPT_FOR)
    await tidying.step()
    assert await counts(world) == [1, 1, 2]
