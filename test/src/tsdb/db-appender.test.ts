import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { NOW, testAppender } from '../../acceptance/appender.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { newTestHead, openTestDb } from '../../fakes/test-db.ts';

testAppender('a head', async ({ seriesMax }) => {
  const head = newTestHead({ clock: new ManualClock(NOW), seriesMax });
  return { store: head, close: async () => {} };
});

testAppender('a database', async ({ seriesMax }) => {
  const db = await openTestDb(temporaryDirectory(), { clock: new ManualClock(NOW), seriesMax });
  return { store: db, close: () => db.close() };
});
