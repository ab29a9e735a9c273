import { expect, test } from 'vitest';
import { openWorld } from '../support/observed-world.ts';

test.each([
  ['five years ahead', 1_825],
  ['a month ahead', 30],
  ['two years behind', -700],
])('an analyzer whose clock is %s stores no day, and erases none', async (_, wrong) => {
  const world = await openWorld();
  try {
    const daysStored = async () => {
      const { days } = await world.door.get('/report/dead/history');
      return days.map(({ day }: { day: string }) => day);
    };
    await world.send([{}, [{ at: 0.5, route: '/a' }]]);
    expect(await daysStored()).toEqual(['2026-03-02']);
    const today = world.day;
    world.day = today + wrong;
    expect(await daysStored()).toEqual(['2026-03-02']);
    world.day = today + 1;
    expect(await daysStored()).toEqual(['2026-03-02', '2026-03-03']);
  } finally {
    await world.close();
  }
});

test('days of a clock that was a week ahead are stored again when the right ones come', async () => {
  const world = await openWorld();
  try {
    const daysStored = async () => {
      const { days } = await world.door.get('/report/dead/history');
      return days.map(({ day }: { day: string }) => day.slice(8));
    };
    await world.send([{}, [{ at: 0.5, route: '/a' }]]);
    const today = world.day;
    world.day = today + 6;
    expect(await daysStored()).toEqual(['08']);
    world.day = today;
    expect(await daysStored()).toEqual(['02']);
  } finally {
    await world.close();
  }
});
