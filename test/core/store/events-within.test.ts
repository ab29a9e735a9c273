import { expect, test } from 'vitest';
import { eventsWithin } from '../../../core/store/annotations/events.ts';

const at = (atMs: number, more: { service?: string; environment?: string } = {}) => ({
  atMs,
  ...more,
});
const window = { fromS: 60, toS: 120 };

test('events of a window are those from its beginning to before its end, oldest first', () => {
  const events = [at(120_000), at(119_999), at(60_000), at(59_999)];
  expect(eventsWithin(events, {}, window)).toEqual([at(60_000), at(119_999)]);
});

test('an event of all services or environments concerns each, another one its own alone', () => {
  const all = at(60_000);
  const shop = at(60_001, { service: 'shop' });
  const pay = at(60_002, { service: 'pay', environment: 'prod' });
  const unnamed = at(60_003, { environment: '' });
  const events = [all, shop, pay, unnamed];
  expect(eventsWithin(events, {}, window)).toEqual(events);
  expect(eventsWithin(events, { service: 'shop' }, window)).toEqual([all, shop, unnamed]);
  expect(eventsWithin(events, { environment: 'prod' }, window)).toEqual([all, shop, pay]);
  expect(eventsWithin(events, { environment: '' }, window)).toEqual([all, shop, unnamed]);
  expect(eventsWithin(events, { service: 'pay', environment: 'test' }, window)).toEqual([all]);
});
