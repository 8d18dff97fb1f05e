// The store that other tests use in place of a real one keeps the promises, too.

import { NOW } from '../../acceptance/appender.ts';
import { testHistogramAppender } from '../../acceptance/histogram-appender.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';

testHistogramAppender('the store in memory', async ({ seriesMax }) => ({
  store: new MemoryStorage({ now: () => NOW, seriesMax }),
  close: async () => {},
}));
