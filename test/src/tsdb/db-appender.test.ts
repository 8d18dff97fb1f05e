import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { NOW, testAppender } from '../../acceptance/appender.ts';
import { testHistogramAppender } from '../../acceptance/histogram-appender.ts';
import { testOutOfOrderAppender } from '../../acceptance/out-of-order-appender.ts';
import { testOutOfOrderHistograms } from '../../acceptance/out-of-order-histograms.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { newTestHead, openTestDb } from '../../fakes/test-db.ts';

testAppender('a head', async ({ seriesMax }) => {
  const head = newTestHead({ clock: new ManualClock(NOW), seriesMax });
  return { store: head, close: async () => {} };
});

testAppender('a database', async ({ seriesMax }) => {
  const options = { clock: new ManualClock(NOW), seriesMax, outOfOrderMs: 0 };
  const db = await openTestDb(temporaryDirectory(), options);
  return { store: db, close: () => db.close() };
});

testOutOfOrderAppender('a head', async () => {
  const head = newTestHead({ clock: new ManualClock(NOW), outOfOrderMs: 600_000 });
  return { store: head, close: async () => {} };
});

testOutOfOrderAppender('a database', async () => {
  const db = await openTestDb(temporaryDirectory(), { clock: new ManualClock(NOW) });
  return { store: db, close: () => db.close() };
});

testHistogramAppender('a head', async ({ seriesMax }) => {
  const head = newTestHead({ clock: new ManualClock(NOW), seriesMax, exemplarsMax: 100 });
  return { store: head, close: async () => {} };
});

testHistogramAppender('a database', async ({ seriesMax }) => {
  const options = { clock: new ManualClock(NOW), seriesMax, outOfOrderMs: 0 };
  const db = await openTestDb(temporaryDirectory(), options);
  return { store: db, close: () => db.close() };
});

testOutOfOrderHistograms('a head', async () => {
  const head = newTestHead({ clock: new ManualClock(NOW), outOfOrderMs: 600_000 });
  return { store: head, close: async () => {} };
});

testOutOfOrderHistograms('a database', async () => {
  const db = await openTestDb(temporaryDirectory(), { clock: new ManualClock(NOW) });
  return { store: db, close: () => db.close() };
});
