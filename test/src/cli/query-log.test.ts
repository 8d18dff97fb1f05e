import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { queryLog } from '../../../src/cli/query-log.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const context = () => ({
  clock: new ManualClock(0),
  logger: silentLogger,
  registry: new Registry(),
});
const listeners = process.listeners('SIGHUP');

afterEach(() => {
  for (const one of process.listeners('SIGHUP')) {
    if (!listeners.includes(one)) process.off('SIGHUP', one);
  }
});

describe('the query log', () => {
  const line = { text: 'up', startMs: 0, endMs: 0, stepMs: 0, stats: null, error: 'x' };

  test('goes to the file that the configuration names, seen from there', () => {
    const folder = temporaryDirectory();
    const configFile = join(folder, 'outpost.yml');
    const { log } = queryLog({ flag: undefined, configured: 'queries.log', configFile }, context());
    log?.({ ...line, origin: undefined });
    expect(readFileSync(join(folder, 'queries.log'), 'utf8')).toContain('"query":"up"');
  });

  test('goes to the file of the flag where both name one', () => {
    const folder = temporaryDirectory();
    const configFile = join(folder, 'outpost.yml');
    const flag = join(folder, 'flag.log');
    queryLog({ flag, configured: 'queries.log', configFile }, context());
    expect([existsSync(flag), existsSync(join(folder, 'queries.log'))]).toEqual([true, false]);
  });

  test('is not kept where none names one', () => {
    const place = { flag: undefined, configured: '', configFile: undefined };
    expect(queryLog(place, context())).toEqual({});
  });
});
