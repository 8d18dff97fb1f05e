import { describe, expect, it } from 'vitest';
import {
  hasMistakenIndexVersion,
  parseMeta,
  serialiseMeta,
} from '../../../../src/tsdb/block/meta.ts';
import { Tombstones } from '../../../../src/tsdb/block/tombstones.ts';
import { isUlid, UlidSource, ulidTime } from '../../../../src/tsdb/block/ulid.ts';

const FOREIGN = `{
	"ulid": "01JFJBS3YP1SHZ3PJQ6HK76EC3",
	"minTime": 1734709200000,
	"maxTime": 1734709320000,
	"stats": {
		"numSeriesInOurMind": 7,
		"numSamples": 400,
		"numSeries": 100,
		"numChunks": 100
	},
	"compaction": {
		"level": 1,
		"sources": [
			"01JFJBS3YP1SHZ3PJQ6HK76EC3"
		],
		"parents": [
			{
				"ulid": "00000000000000000000000000",
				"minTime": 0,
				"maxTime": 0
			}
		],
		"hints": [
			"from-out-of-order"
		]
	},
	"version": 1,
	"thanos": {
		"labels": {
			"replica": "0"
		}
	}
}
`;

describe('meta.json', () => {
  it('comes back as it was, unknown keys included', () => {
    const meta = parseMeta(FOREIGN, 'meta.json');
    expect(meta.compaction.hints).toEqual(['from-out-of-order']);
    expect(meta.stats.numSeries).toBe(100);
    expect(meta.stats.numTombstones).toBe(0);
    expect(serialiseMeta(meta)).toBe(FOREIGN);
  });

  it('changes only where a field is changed', () => {
    const meta = parseMeta(FOREIGN, 'meta.json');
    const marked = {
      ...meta,
      stats: { ...meta.stats, numTombstones: 3 },
      compaction: { ...meta.compaction, deletable: true, hints: [] },
    };
    const again = parseMeta(serialiseMeta(marked), 'meta.json');
    expect(again.stats.numTombstones).toBe(3);
    expect(again.compaction.deletable).toBe(true);
    expect(again.compaction.hints).toEqual([]);
    expect(again.rest.thanos).toEqual({ labels: { replica: '0' } });
    const { stats } = JSON.parse(serialiseMeta(marked));
    expect(stats.numSeriesInOurMind).toBe(7);
  });

  it('of the mistaken version 2 is read and written as version 1', () => {
    const meta = parseMeta(FOREIGN.replace('"version": 1', '"version": 2'), 'meta.json');
    expect(hasMistakenIndexVersion(meta)).toBe(true);
    expect(JSON.parse(serialiseMeta(meta)).version).toBe(1);
  });

  it.each([
    ['', 'is not JSON'],
    ['[]', 'is not an object'],
    ['{"version":3}', 'has the unknown version 3'],
    ['{"version":1,"ulid":"x"}', 'has no valid ulid'],
    [
      '{"version":1,"ulid":"01JFJBS3YP1SHZ3PJQ6HK76EC3","minTime":2,"maxTime":1}',
      'has no time range',
    ],
    [
      '{"version":1,"ulid":"01JFJBS3YP1SHZ3PJQ6HK76EC3","minTime":"0","maxTime":1}',
      'has no time range',
    ],
  ])('is refused: %s', (text, problem) => {
    expect(() => parseMeta(text, '/x/meta.json')).toThrow(`block meta ${problem}: /x/meta.json`);
  });
});

describe('ulids', () => {
  it('carry their time and the random bytes', () => {
    const source = new UlidSource(
      () => 1_469_918_176_385,
      bytes => bytes.set([0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 1]),
    );
    const ulid = source.next();
    expect(ulid).toBe('01ARYZ6S41ZW0FY07Z03ZG1ZR1');
    expect(ulidTime(ulid)).toBe(1_469_918_176_385);
  });

  it('grow within a millisecond and when the clock steps back', () => {
    const times = [5, 5, 5, 3, 6];
    const source = new UlidSource(
      () => times.shift()!,
      bytes => bytes.fill(0xff),
    );
    const made = [source.next(), source.next(), source.next(), source.next(), source.next()];
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(5);
    expect(made.map(ulidTime)).toEqual([5, 6, 6, 6, 6]);
    expect(made.every(isUlid)).toBe(true);
  });

  it.each([
    '',
    '01ARYZ6S41ZW0FY0ZG1ZW0FY0',
    '81ARYZ6S41ZW0FY0ZG1ZW0FY01',
    '01aryz6s41zw0fy0zg1zw0fy01',
    '01ARYZ6S41ZW0FY0ZG1ZW0FYIL',
  ])('are not %j', text => {
    expect(isUlid(text)).toBe(false);
  });
});

describe('tombstones', () => {
  it('are nine bytes where nothing is deleted', () => {
    expect(Buffer.from(new Tombstones().encode()).toString('hex')).toBe('0130ba300100000000');
  });

  it('come back from their bytes', () => {
    const tombstones = new Tombstones();
    tombstones.add(7, { minTime: -5, maxTime: 10 });
    tombstones.add(3, { minTime: 1_700_000_000_000, maxTime: 1_700_000_000_001 });
    tombstones.add(3, { minTime: 0, maxTime: 0 });
    const again = Tombstones.decode(tombstones.encode(), 'tombstones');
    expect(again.count).toBe(3);
    expect(again.intervals(7)).toEqual([{ minTime: -5, maxTime: 10 }]);
    expect(again.intervals(3)).toEqual([
      { minTime: 0, maxTime: 0 },
      { minTime: 1_700_000_000_000, maxTime: 1_700_000_000_001 },
    ]);
    expect(again.intervals(4)).toEqual([]);
  });

  it('join ranges that touch or overlap', () => {
    const tombstones = new Tombstones();
    for (const [minTime, maxTime] of [
      [10, 20],
      [30, 40],
      [21, 22],
      [50, 60],
      [41, 49],
      [0, 5],
    ] as const) {
      tombstones.add(1, { minTime, maxTime });
    }
    expect(tombstones.intervals(1)).toEqual([
      { minTime: 0, maxTime: 5 },
      { minTime: 10, maxTime: 22 },
      { minTime: 30, maxTime: 60 },
    ]);
  });

  it('are refused where a byte has changed or is missing', () => {
    const tombstones = new Tombstones();
    tombstones.add(7, { minTime: -5, maxTime: 10 });
    const bytes = tombstones.encode();
    for (let i = 0; i < bytes.length; i++) {
      const flipped = Uint8Array.from(bytes);
      flipped[i]! ^= 0x10;
      expect(() => Tombstones.decode(flipped, 'file')).toThrow(/tombstones .*: file at offset/);
      expect(() => Tombstones.decode(bytes.subarray(0, i), 'file')).toThrow('file at offset');
    }
  });
});
