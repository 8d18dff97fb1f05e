// What plugins write, as our log takes it.

import { describe, expect, it } from 'vitest';
import { LINE_BYTES_MAX, LineReader } from '../../../plugins/host/line-reader.ts';
import { PluginLog, parseLogLine } from '../../../plugins/host/plugin-log.ts';
import { newHclogLogger } from '../../../plugins/sdk/hclog.ts';
import { newLogger } from '../../../src/telemetry/logger.ts';

describe('parseLogLine', () => {
  const table: readonly (readonly [string, string, string, object])[] = [
    [
      '{"@level":"warn","@message":"low ink","@timestamp":"2026-01-01T00:00:00Z","@module":"p","tray":3}',
      'warn',
      'low ink',
      { module: 'p', tray: 3 },
    ],
    ['{"@level":"trace","@message":"m","a":{"b":1}}', 'debug', 'm', { a: '{"b":1}' }],
    ['[ERROR] it broke', 'error', 'it broke', {}],
    ['[TRACE]  far', 'debug', 'far', {}],
    ['plain text', 'info', 'plain text', {}],
    ['{"not":"hclog"}', 'info', '{"not":"hclog"}', {}],
    ['{broken', 'info', '{broken', {}],
    ['{"@level":5,"@message":"m"}', 'info', '{"@level":5,"@message":"m"}', {}],
  ];
  for (const [line, level, message, fields] of table) {
    it(`reads ${line.slice(0, 40)}`, () => {
      expect(parseLogLine(line, 'info')).toEqual({ level, message, fields });
    });
  }

  it('reads back what the SDK writes', () => {
    const lines: string[] = [];
    newHclogLogger(
      line => lines.push(line),
      () => 0,
      { '@module': 'os' },
    )
      .child({ collector: 'cpu' })
      .error('no file', { path: '/proc/stat' });
    expect(parseLogLine(lines[0]!, 'info')).toEqual({
      level: 'error',
      message: 'no file',
      fields: { module: 'os', collector: 'cpu', path: '/proc/stat' },
    });
  });
});

describe('PluginLog', () => {
  function newLog() {
    const lines: string[] = [];
    const logger = newLogger({
      level: 'debug',
      format: 'logfmt',
      write: line => lines.push(line.slice(30)),
      now: () => 0,
    });
    const state = { now: 0, dropped: 0 };
    const log = new PluginLog(
      logger,
      () => state.now,
      () => state.dropped++,
    );
    return { log, lines, state };
  }

  it('takes everything after a panic for an error', () => {
    const { log, lines } = newLog();
    for (const line of ['fine', 'panic: nil map', 'goroutine 1 [running]:', '[INFO] tagged']) {
      log.stderr(line);
    }
    expect(lines.map(line => line.replace(/^.*level=/, ''))).toEqual([
      'info msg=fine',
      'error msg="panic: nil map"',
      'error msg="goroutine 1 [running]:"',
      'info msg=tagged',
    ]);
  });

  it('passes fifty lines a second on, counts the rest and says so', () => {
    const { log, lines, state } = newLog();
    for (let i = 0; i < 80; i++) log.stderr(`line ${i}`);
    expect(lines).toHaveLength(50);
    expect(state.dropped).toBe(30);
    state.now = 1000;
    log.stderr('later');
    expect(lines.at(-2)).toContain('lines were dropped" dropped=30');
    expect(lines.at(-1)).toContain('msg=later');
  });

  it('keeps the last twenty lines to explain an exit', () => {
    const { log } = newLog();
    for (let i = 0; i < 30; i++) log.stderr(`line ${i} ${'x'.repeat(1000)}`);
    const tail = log.tail.split('\n');
    expect(tail).toHaveLength(20);
    expect(tail[0]).toMatch(/^line 10 x+$/);
    expect(tail[0]!.length).toBe(400);
  });
});

describe('LineReader', () => {
  function read(...chunks: string[]): string[] {
    const lines: string[] = [];
    const reader = new LineReader(line => lines.push(line));
    for (const chunk of chunks) reader.feed(Buffer.from(chunk));
    reader.end();
    return lines;
  }

  it('joins what chunks cut apart', () => {
    expect(read('a', 'b\nc', '\n', '\r\n', 'last')).toEqual(['ab', 'c', '', 'last']);
  });

  it('does not cut a character in two', () => {
    const bytes = Buffer.from('héllo\n');
    const lines: string[] = [];
    const reader = new LineReader(line => lines.push(line));
    reader.feed(bytes.subarray(0, 2));
    reader.feed(bytes.subarray(2));
    expect(lines).toEqual(['héllo']);
  });

  it('cuts a line that never ends', () => {
    const lines = read('x'.repeat(LINE_BYTES_MAX - 1), `${'y'.repeat(LINE_BYTES_MAX)}\nz\n`);
    expect(lines.map(line => line.length)).toEqual([LINE_BYTES_MAX, LINE_BYTES_MAX - 1, 1]);
  });
});
