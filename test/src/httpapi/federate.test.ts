import { beforeEach, describe, expect, test } from 'vitest';
import { ProtobufScanner } from '../../../src/exposition/scan/protobuf-scanner.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../../../src/storage/histogram.ts';
import { type ApiUnderTest, newTestApi } from '../../fakes/api.ts';
import { entriesOf } from '../../fakes/exposition-bodies.ts';

const NOW = 1_700_000_000_000;
const TEXT = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
const NONE = new Float64Array(0);
const histogram: FloatHistogram = {
  counterResetHint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 3,
  sum: 5,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: Float64Array.of(1, 2),
  negativeSpans: [],
  negativeBuckets: NONE,
  customValues: NONE,
};

let tested: ApiUnderTest;

beforeEach(async () => {
  const externalLabels = (): Labels => Labels.fromObject({ host: 'h1', job: 'outer' });
  tested = newTestApi(NOW, { externalLabels });
  const appender = tested.storage.appender();
  const add = (set: Record<string, string>, time: number, value: number): void =>
    appender.append(appender.series(Labels.fromObject(set)), time, value);
  add({ __name__: 'up', job: 'a', instance: 'x:1' }, NOW - 20_000, 0);
  add({ __name__: 'up', job: 'a', instance: 'x:1' }, NOW - 10_000, 1);
  add({ __name__: 'up', job: 'later' }, NOW + 1, 1);
  add({ __name__: 'up', job: 'old' }, NOW - 300_001, 1);
  add({ __name__: 'cpu', path: 'a"b\\c\n' }, NOW, 1.5e-9);
  const gone = appender.series(Labels.fromObject({ __name__: 'up', job: 'gone' }));
  appender.append(gone, NOW - 2000, 1);
  appender.appendStale(gone, NOW - 1000);
  const native = appender.series(Labels.fromObject({ __name__: 'native', job: 'a' }));
  appender.appendHistogram(native, NOW, histogram);
  const custom = appender.series(Labels.fromObject({ __name__: 'custom', job: 'a' }));
  const customValues = Float64Array.of(0.5, 1);
  const schema = CUSTOM_BUCKETS_SCHEMA;
  appender.appendHistogram(custom, NOW, { ...histogram, schema, customValues });
  await appender.commit();
});

async function page(search: string, headers = {}): Promise<[number, unknown, string]> {
  const {
    statusCode,
    headers: got,
    payload,
  } = await tested.api.inject({
    url: `/federate${search}`,
    headers,
  });
  return [statusCode, got['content-type'], payload];
}

describe('/federate', () => {
  test('shows the newest sample of each series by name, with its time and external labels', async () => {
    expect(await page('?match[]=up&match[]=cpu')).toEqual([
      200,
      TEXT,
      '# TYPE cpu untyped\n' +
        'cpu{path="a\\"b\\\\c\\n",host="h1",instance="",job="outer"} 1.5e-09 1700000000000\n' +
        '# TYPE up untyped\n' +
        'up{instance="x:1",job="a",host="h1"} 1 1699999990000\n',
    ]);
  });

  test('shows a series once that several selectors match, and nothing without any', async () => {
    const [, , text] = await page('?match[]=up&match[]=%7B__name__%3D~%22u.%22%7D');
    expect(text.match(/^up/gm)).toHaveLength(1);
    expect(await page('')).toEqual([200, TEXT, '']);
  });

  test('leaves native histograms out of text, and shows custom buckets as a classic histogram', async () => {
    const [, , text] = await page('?match[]=%7B__name__%3D~%22native|custom%22%7D');
    expect(text).toBe(
      '# TYPE custom histogram\n' +
        'custom_bucket{job="a",host="h1",instance="",le="0.5"} 1 1700000000000\n' +
        'custom_bucket{job="a",host="h1",instance="",le="1"} 3 1700000000000\n' +
        'custom_bucket{job="a",host="h1",instance="",le="+Inf"} 3 1700000000000\n' +
        'custom_sum{job="a",host="h1",instance=""} 5 1700000000000\n' +
        'custom_count{job="a",host="h1",instance=""} 3 1700000000000\n',
    );
  });

  test('has native histograms where protobuf is asked for', async () => {
    const accept =
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
    const url = '/federate?match[]=%7B__name__%3D~%22up%7Cnative%7Ccustom%22%7D';
    const answer = await tested.api.inject({ url, headers: { accept } });
    expect(answer.headers['content-type']).toBe(
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores',
    );
    const choice = { native: true, classicToo: false };
    expect(entriesOf(new ProtobufScanner(answer.rawPayload, choice))).toEqual([
      'type custom histogram',
      'custom_bucket{host="h1", job="a", le="0.5"} 1 @1700000000000',
      'custom_bucket{host="h1", job="a", le="1.0"} 3 @1700000000000',
      'custom_bucket{host="h1", job="a", le="+Inf"} 3 @1700000000000',
      'custom_count{host="h1", job="a"} 3 @1700000000000',
      'custom_sum{host="h1", job="a"} 5 @1700000000000',
      'type native histogram',
      'native{host="h1", job="a"} schema 0 count 3 [1,2]',
      'type up unknown',
      'up{host="h1", instance="x:1", job="a"} 1 @1699999990000',
    ]);
  });

  test('is text for a reader that would rather have OpenMetrics', async () => {
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.5';
    expect((await page('?match[]=up', { accept }))[1]).toBe(TEXT);
  });

  test('names what it cannot read', async () => {
    const [status, , text] = await page('?match[]=%7B');
    expect([status, JSON.parse(text).error]).toEqual([
      400,
      expect.stringMatching(/^invalid parameter "match\[\]": 1:/),
    ]);
  });

  test('stops at the list limit of the server', async () => {
    const queryableFor = () => tested.storage;
    const small = newTestApi(NOW, { limits: { listMax: 1 }, queryableFor });
    const response = await small.api.inject('/federate?match[]=%7B__name__!=%22%22%7D');
    expect([response.statusCode, response.json().error]).toEqual([
      422,
      'federate: more than 1 series match; narrow match[]',
    ]);
  });
});
