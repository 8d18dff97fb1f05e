import { describe, expect, it } from 'vitest';
import { Backfill } from '../../../../src/tools/tsdb/backfill/backfill.ts';
import { type CsvOptions, readCsv } from '../../../../src/tools/tsdb/backfill/csv-input.ts';
import { CsvReader } from '../../../../src/tools/tsdb/backfill/csv-records.ts';
import { parseTime } from '../../../../src/tools/tsdb/backfill/csv-time.ts';
import { type Refusal, Refusals } from '../../../../src/tools/tsdb/backfill/refusals.ts';
import { dumped } from '../../../fakes/directory-tools.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { HOUR } from '../../../fakes/test-db.ts';
import { byteStream, toolContext } from '../../../fakes/tool-context.ts';

async function imported(
  text: string,
  options: Partial<CsvOptions> = {},
): Promise<{ dump: string; refused: readonly Refusal[]; emptyValues: number }> {
  const dir = temporaryDirectory();
  const backfill = await Backfill.open(dir, { ...toolContext(), blockRangeMaxMs: 2 * HOUR });
  const refusals = new Refusals();
  try {
    const { emptyValues } = await readCsv(byteStream(text, 11), backfill, {
      timeColumn: 'time',
      timeFormat: 'unix',
      valueColumns: ['value'],
      labels: {},
      separator: ',',
      refusals,
      onBytes: () => {},
      ...options,
    });
    await backfill.finish();
    return { dump: (await dumped(dir)).text, refused: refusals.examples, emptyValues };
  } finally {
    await backfill.discard();
  }
}

describe('comma-separated values', () => {
  it('become series: other columns are labels, an empty field is none', async () => {
    const { dump, refused } = await imported(
      'time,host,value,zone\r\n1,a,1.5,eu\r\n2,a,2.5,eu\r\n1,b,7,\r\n',
      { metric: 'temperature', labels: { job: 'x' } },
    );
    expect(refused).toEqual([]);
    expect(dump).toBe(
      '{__name__="temperature", host="a", job="x", zone="eu"} 1.5 1000\n' +
        '{__name__="temperature", host="a", job="x", zone="eu"} 2.5 2000\n' +
        '{__name__="temperature", host="b", job="x"} 7 1000\n',
    );
  });

  it('may have several value columns, each a metric', async () => {
    const { dump, emptyValues } = await imported('time;host;min;max\n5;"a;b";1;2\n6;"a;b";;3\n', {
      valueColumns: ['min', 'max'],
      labelColumns: ['host'],
      separator: ';',
    });
    expect(emptyValues).toBe(1);
    expect(dump).toBe(
      '{__name__="max", host="a;b"} 2 5000\n' +
        '{__name__="max", host="a;b"} 3 6000\n' +
        '{__name__="min", host="a;b"} 1 5000\n',
    );
  });

  it('have refusals by line, also behind fields of several lines', async () => {
    const text =
      'time,value,text\n1,1,"two\nlines ""here"""\nx,2,\n3,y,\n4,4\n5,5,a"b\n6,6,"a"b\n7,7,"open\n';
    const { dump, refused } = await imported(text);
    expect(dump).toBe('{__name__="value", text="two\\nlines \\"here\\""} 1 1000\n');
    expect(refused).toEqual([
      { line: 4, reason: 'time "x" is not of the form unix' },
      { line: 5, reason: 'value "y" of value is not a number' },
      { line: 6, reason: '2 fields, the header has 3' },
      { line: 7, reason: 'a quote inside a field without quotes' },
      { line: 8, reason: 'text behind a closing quote' },
      { line: 9, reason: 'a quote is never closed' },
    ]);
  });

  it('need the columns that are named', async () => {
    await expect(imported('time,v\n1,1\n')).rejects.toThrow(
      'no column "value"; the header has time, v',
    );
    await expect(imported('')).rejects.toThrow('there is no header');
    await expect(imported('time,a,b\n', { valueColumns: ['a', 'b'], metric: 'm' })).rejects.toThrow(
      'name one value column',
    );
  });
});

describe('records', () => {
  const fields = (text: string): unknown[] =>
    [...new CsvReader(',').records(text)].map(record => record.problem ?? record.fields);

  it('are split at separators outside quotes', () => {
    expect(fields('a,,"b,c","d""e",\n"",x')).toEqual([
      ['a', '', 'b,c', 'd"e', ''],
      ['', 'x'],
    ]);
    expect(fields('"a"b,"c"\nx"y"z')).toEqual([
      'text behind a closing quote',
      'a quote inside a field without quotes',
    ]);
  });
});

describe('times', () => {
  it.each([
    ['1700000000', 'unix', 1_700_000_000_000],
    ['1700000000.1235', 'unix', 1_700_000_000_124],
    ['-1', 'unix', -1000],
    ['1700000000123', 'unix_ms', 1_700_000_000_123],
    ['1700000000123499', 'unix_us', 1_700_000_000_123],
    ['1700000000123500000', 'unix_ns', 1_700_000_000_124],
    ['1499999', 'unix_ns', 1],
    ['2023-11-14T22:13:20Z', 'rfc3339', 1_700_000_000_000],
    ['2023-11-15 00:13:20.5+02:00', 'rfc3339', 1_700_000_000_500],
    ['2023-11-14', 'rfc3339', null],
    ['1e9', 'unix', null],
    ['', 'unix_ms', null],
  ] as const)('%s as %s', (text, format, ms) => {
    expect(parseTime(text, format)).toBe(ms);
  });
});
