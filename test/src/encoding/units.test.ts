// Durations and sizes as flags and files write them.

import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from '../../../src/encoding/units.ts';

describe('parseDuration', () => {
  it.each([
    ['15s', 15_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['15d', 1_296_000_000],
    ['1y2w', 365 * 86_400_000 + 14 * 86_400_000],
    ['1y2w3d', (365 + 14 + 3) * 86_400_000],
    ['1500ms', 1500],
    ['0', 0],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '15', '1.5h', 's', '30m1h', '-5m', '5 m', '300y'])('refuses %j', text => {
    expect(parseDuration(text)).toBeNull();
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [15_000, '15s'],
    [5_400_000, '1h30m'],
    [7 * 86_400_000, '1w'],
    [8 * 86_400_000, '8d'],
    [1500, '1s500ms'],
    [90_000_000, '1d1h'],
    [1, '1ms'],
    [-60_000, '-1m'],
  ])('writes %d as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('parseSize', () => {
  it.each([
    ['512MB', 512 * 1024 ** 2],
    ['1GiB', 1024 ** 3],
    ['0', 0],
    ['1.5KB', 1536],
    ['7B', 7],
  ])('reads %s with powers of 1024', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', '5', 'MB', '5mb', '-1GB'])('refuses %j', text => expect(parseSize(text)).toBeNull());
});

describe('formatSize', () => {
  it('keeps one decimal', () => {
    expect(formatSize(1536)).toBe('1.5KiB');
    expect(formatSize(0)).toBe('0B');
  });
});
