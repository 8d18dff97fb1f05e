import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newLogger, silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import {
  ActiveQueries,
  SLOT_BYTES,
  unfinishedIn,
} from '../../../src/telemetry/queries/active-queries.ts';
import {
  type QueryLine,
  QueryLogFile,
  registerQueryLogMetrics,
} from '../../../src/telemetry/queries/query-log.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('the journal of running queries', () => {
  const options = { concurrencyMax: 3, now: () => NOW, logger: silentLogger };

  it('names what runs and nothing that has ended', () => {
    const path = join(temporaryDirectory(), 'queries.active');
    const journal = new ActiveQueries(path, options);
    const first = journal.begin('sum(a)');
    const second = journal.begin('b{c="\u{1f600}"}');
    journal.end(first);
    expect(unfinishedIn(readFileSync(path))).toEqual([
      { query: 'b{c="\u{1f600}"}', timestamp_sec: NOW / 1000 },
    ]);
    expect(statSync(path).size).toBe(1 + 3 * SLOT_BYTES);
    journal.end(second);
    expect(unfinishedIn(readFileSync(path))).toEqual([]);
    journal.close();
  });

  it('cuts what does not fit a slot, and passes over more queries than it has slots', () => {
    const path = join(temporaryDirectory(), 'queries.active');
    const journal = new ActiveQueries(path, options);
    journal.begin(`${'ü"\n'.repeat(1000)}`);
    const [entry] = unfinishedIn(readFileSync(path));
    expect(entry!.query.length).toBeGreaterThan(100);
    expect(entry!.query).toMatch(/^ü"\nü"\n/);
    const slots = [journal.begin('a'), journal.begin('b'), journal.begin('c')];
    expect(slots.at(-1)).toBe(-1);
    for (const slot of slots) journal.end(slot);
    expect(unfinishedIn(readFileSync(path))).toHaveLength(1);
    journal.close();
  });

  it('tells the next process what this one did not finish, once', () => {
    const path = join(temporaryDirectory(), 'queries.active');
    const lines: string[] = [];
    const logger = newLogger({
      level: 'info',
      format: 'logfmt',
      write: line => lines.push(line),
      now: () => NOW,
    });
    new ActiveQueries(path, { ...options, logger }).begin('topk(5, heavy)');
    expect(lines).toEqual([]);
    new ActiveQueries(path, { ...options, logger }).close();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/level=warn msg="these queries did not finish.*topk\(5, heavy\)/);
    new ActiveQueries(path, { ...options, logger }).close();
    expect(lines).toHaveLength(1);
  });

  it('begins anew over bytes that are no journal', () => {
    const path = join(temporaryDirectory(), 'queries.active');
    writeFileSync(path, Buffer.alloc(5000, '{"query":'));
    const journal = new ActiveQueries(path, options);
    journal.begin('a');
    expect(unfinishedIn(readFileSync(path)).map(({ query }) => query)).toEqual(['a']);
    journal.close();
  });
});

describe('the query log', () => {
  const LINE: QueryLine = {
    text: 'sum(up)',
    startMs: 1_000_000,
    endMs: 2_000_500,
    stepMs: 15_000,
    stats: {
      queueMs: 1,
      prepareMs: 2,
      evalMs: 3,
      samplesRead: 10,
      peakSamples: 5,
      seriesRead: 2,
      peakBytes: 45,
    },
    error: null,
    origin: { fields: { httpRequest: { clientIP: '::1', method: 'GET', path: '/api/v1/query' } } },
  };

  function open(bytesMax?: number) {
    const path = join(temporaryDirectory(), 'queries.log');
    const registry = new Registry();
    const lost = registerQueryLogMetrics(registry);
    const options = { now: () => NOW, logger: silentLogger, lost, ...(bytesMax && { bytesMax }) };
    return { path, file: new QueryLogFile(path, options), registry };
  }

  const linesOf = (path: string): Record<string, unknown>[] =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));

  it('has a line for each query, with the fields of Prometheus', () => {
    const { path, file } = open();
    file.add(LINE);
    file.add({ ...LINE, stats: null, error: 'no such thing', origin: undefined });
    expect(linesOf(path)).toEqual([
      {
        time: '2026-01-02T03:04:05.000Z',
        level: 'INFO',
        msg: 'promql query logged',
        params: {
          query: 'sum(up)',
          start: '1970-01-01T00:16:40.000Z',
          end: '1970-01-01T00:33:20.500Z',
          step: 15,
        },
        stats: {
          timings: {
            evalTotalTime: 0.005,
            queryPreparationTime: 0.002,
            innerEvalTime: 0.003,
            execQueueTime: 0.001,
            execTotalTime: 0.006,
          },
          samples: { totalQueryableSamples: 10, peakSamples: 5 },
          series: 2,
          peakBytes: 45,
        },
        httpRequest: { clientIP: '::1', method: 'GET', path: '/api/v1/query' },
      },
      expect.objectContaining({ error: 'no such thing' }),
    ]);
    file.close();
  });

  it('puts a full file aside, and keeps one of them', () => {
    const { path, file } = open(1000);
    for (let i = 0; i < 7; i++) file.add({ ...LINE, text: `q${i}` });
    const queries = (file: string): unknown[] =>
      linesOf(file).map(line => (line['params'] as { query: string }).query);
    expect(queries(path)).toEqual(['q6']);
    expect(queries(`${path}.1`)).toEqual(['q4', 'q5']);
    file.close();
  });

  it('writes to a new file after it is opened again', () => {
    const { path, file } = open();
    file.add(LINE);
    renameSync(path, `${path}.moved`);
    file.add(LINE);
    expect(existsSync(path)).toBe(false);
    file.reopen();
    file.add(LINE);
    expect([linesOf(`${path}.moved`).length, linesOf(path).length]).toEqual([2, 1]);
    file.close();
  });

  it('counts lines it cannot write, and goes on', () => {
    const { path, file, registry } = open();
    appendFileSync(path, '');
    file.close();
    file.add(LINE);
    file.add(LINE);
    const lost = registry
      .gather()
      .find(({ name }) => name === 'outpost_promql_query_log_lost_total');
    expect(lost?.samples[0]?.value).toBe(2);
  });
});
