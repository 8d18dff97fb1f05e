import { expect, test } from 'vitest';
import { parseEndpoint } from '../../../federation/query/endpoint-address.ts';
import { anySetCanMatch, pruneReason } from '../../../federation/query/prune.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import type { StoreInfo } from '../../../src/storeapi/info.ts';

const info: StoreInfo = {
  componentType: 'sidecar',
  labelSets: [Labels.fromObject({ host: 'a', zone: '1' }), Labels.fromObject({ host: 'b' })],
  store: {
    minTime: 100,
    maxTime: 200,
    supportsSharding: true,
    supportsWithoutReplicaLabels: true,
    streams: [],
  },
  apis: [],
};
const all = { minTime: 0, maxTime: 1000, matchers: [], storeMatch: [] };
const eq = (name: string, value: string) => new Matcher('=', name, value);

test.each([
  ['the range begins before and ends after', { minTime: 0, maxTime: 1000 }, null],
  ['the range ends at its first millisecond', { minTime: 0, maxTime: 100 }, null],
  ['the range begins at its last millisecond', { minTime: 200, maxTime: 300 }, null],
  ['the range ends before', { minTime: 0, maxTime: 99 }, 'its time range lies outside'],
  ['the range begins after', { minTime: 201, maxTime: 300 }, 'its time range lies outside'],
])('an endpoint is asked by time: %s', (_, range, reason) => {
  expect(pruneReason('a:1', info, { ...all, ...range })).toBe(reason);
});

test.each([
  ['one of the sets matches', [eq('host', 'b')], true],
  ['no set matches', [eq('host', 'c')], false],
  ['the label is in no set, so series may have it', [eq('job', 'x')], true],
  ['the label is missing in one set', [eq('zone', '2')], true],
  ['each matcher fits another set', [eq('host', 'a'), eq('zone', '2')], false],
  ['a negative matcher refuses one set only', [new Matcher('!=', 'host', 'a')], true],
  ['a regular expression refuses all', [new Matcher('!~', 'host', 'a|b')], false],
])('an endpoint is asked by labels: %s', (_, matchers, asked) => {
  expect(anySetCanMatch(info.labelSets, matchers)).toBe(asked);
});

test('no label sets at all match everything', () => {
  expect(anySetCanMatch([], [eq('host', 'c')])).toBe(true);
});

test('storeMatch selects by address, any of its selectors', () => {
  const storeMatch = [[eq('__address__', 'b:1')], [new Matcher('=~', '__address__', 'a:.*')]];
  expect(pruneReason('a:1', info, { ...all, storeMatch })).toBeNull();
  expect(pruneReason('c:1', info, { ...all, storeMatch })).toBe('storeMatch does not select it');
});

test('an endpoint without a store is not asked for series', () => {
  expect(pruneReason('a:1', { ...info, store: null }, all)).toBe('it does not serve series');
});

test('an empty store, which announces an impossible range, is never asked', () => {
  const store = { ...info.store!, minTime: 2 ** 63, maxTime: -(2 ** 63) };
  expect(pruneReason('a:1', { ...info, store }, all)).toBe('its time range lies outside');
});

test.each([
  ['127.0.0.1:9191', { kind: 'address', address: '127.0.0.1:9191' }],
  ['[::1]:9191', { kind: 'address', address: '[::1]:9191' }],
  ['unix:/run/outpost.sock', { kind: 'address', address: 'unix:/run/outpost.sock' }],
  ['dns+agents.example:9191', { kind: 'dns', host: 'agents.example', port: 9191 }],
])('endpoint %s is read', (text, spec) => {
  expect(parseEndpoint(text)).toEqual(spec);
});

test.each(['', 'host', 'host:0', 'host:70000', ':9191', 'http://host:1', 'unix:', 'dnssrv+a:1'])(
  'endpoint "%s" is refused',
  text => {
    expect(() => parseEndpoint(text)).toThrow('host:port, unix:/path or dns+host:port');
  },
);
