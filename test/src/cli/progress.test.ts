import { describe, expect, it } from 'vitest';
import { Progress } from '../../../src/cli/progress.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';

function watched(options: { isTTY?: boolean; columns?: number; quiet?: boolean }) {
  const clock = new ManualClock();
  const written: string[] = [];
  const stream = { ...options, write: (text: string) => written.push(text) };
  const progress = new Progress({ stream, clock, quiet: options.quiet ?? false });
  return { clock, written, progress };
}

describe('progress on a terminal', () => {
  it('draws a bar with share, rate and time left, at most ten times a second, and wipes it', () => {
    const { clock, written, progress } = watched({ isTTY: true, columns: 100 });
    progress.phase('read', 1000, 'samples');
    progress.at(1);
    clock.advance(99);
    progress.at(10);
    expect(written).toEqual([]);
    clock.advance(901);
    progress.at(250);
    expect(written).toEqual([
      '\rread [======                  ] 25% 250 samples, 250 samples/s, 3s left\x1b[K',
    ]);
    progress.at(251);
    expect(written).toHaveLength(1);
    progress.end();
    expect(written[1]).toBe('\r\x1b[K');
    progress.end();
    expect(written).toHaveLength(2);
  });

  it('has no bar where the end is not known, and never wraps', () => {
    const { clock, written, progress } = watched({ isTTY: true, columns: 20 });
    progress.phase('dump', null, 'samples');
    clock.advance(2000);
    progress.at(5_000_000);
    expect(written).toEqual(['\rdump 5,000,000 samp\x1b[K']);
  });
});

describe('progress elsewhere', () => {
  it('writes a line every five seconds and one at the end', () => {
    const { clock, written, progress } = watched({});
    progress.phase('verify', 10 * 1024 * 1024, 'bytes');
    clock.advance(4000);
    progress.at(1024);
    clock.advance(1000);
    progress.at(5 * 1024 * 1024);
    clock.advance(5000);
    progress.at(8 * 1024 * 1024);
    clock.advance(1000);
    progress.at(10 * 1024 * 1024);
    progress.end();
    expect(written).toEqual([
      'verify: 50%, 5MiB, 1MiB/s, 5s left\n',
      'verify: 80%, 8MiB, 819.2KiB/s, 3s left\n',
      'verify: 10MiB in 11s\n',
    ]);
  });

  it('says nothing of work that is done at once', () => {
    const { written, progress } = watched({});
    progress.phase('read', 10, 'bytes');
    progress.at(10);
    progress.phase('write', 10, 'bytes');
    progress.end();
    expect(written).toEqual([]);
  });

  it('says nothing where it is not wanted', () => {
    const { clock, written, progress } = watched({ isTTY: true, quiet: true });
    progress.phase('read', 10, 'bytes');
    clock.advance(10_000);
    progress.at(5);
    progress.end();
    expect(written).toEqual([]);
  });

  it('tells the rate of the last ten seconds or so', () => {
    const { clock, written, progress } = watched({});
    progress.phase('read', null, 'lines');
    for (const done of [1000, 2000, 2010, 2020]) {
      clock.advance(5000);
      progress.at(done);
    }
    expect(written.map(line => /([\d,]+) lines\/s/.exec(line)![1])).toEqual([
      '200',
      '200',
      '2',
      '2',
    ]);
  });
});
