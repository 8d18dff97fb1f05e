import { expect, test } from 'vitest';
import { parseDuration, parseTime, TIME_MAX, TIME_MIN } from '../../../src/httpapi/times.ts';

test.each([
  ['0', 0],
  ['1435781451.781', 1_435_781_451_781],
  ['-1.5', -1500],
  ['1e3', 1_000_000],
  ['0.0004', 0],
  ['2015-06-03T13:21:58.555Z', 1_433_337_718_555],
  ['2015-06-03T13:21:58.555999Z', 1_433_337_718_555],
  ['2015-06-03T14:21:58.555+01:00', 1_433_337_718_555],
  ['2015-06-03t13:21:58z', 1_433_337_718_000],
  ['-292273086-05-16T16:47:06Z', TIME_MIN],
  ['292277025-08-18T07:12:54.999999999Z', TIME_MAX],
  ['', null],
  ['now', null],
  ['NaN', null],
  ['Inf', null],
  ['1e300', null],
  ['2015-06-03', null],
  ['2015-06-03T13:21:58', null],
  ['2015-02-31T13:21:58Z', null],
  ['2015-06-03T24:00:00Z', null],
  ['2015-06-03T13:61:00Z', null],
])('the moment %j', (text, ms) => {
  expect(parseTime(text)).toBe(ms);
});

test.each([
  ['15', 15_000],
  ['0.5', 500],
  ['1h30m', 5_400_000],
  ['1d', 86_400_000],
  ['10ms', 10],
  ['-5', -5000],
  ['', null],
  ['5x', null],
  ['1e300', null],
  ['NaN', null],
])('the duration %j', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
