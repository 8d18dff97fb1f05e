import { expect, test } from 'vitest';
import { Labels } from '../../../src/labels/labels.ts';
import { decodeInfo, encodeInfo, type StoreInfo } from '../../../src/storeapi/info.ts';

test('an announcement is read back as it was made', () => {
  const info: StoreInfo = {
    componentType: 'sidecar',
    labelSets: [Labels.fromObject({ host: 'a' }), Labels.fromObject({ host: 'b', zone: 'z' })],
    store: {
      minTime: -(2 ** 63),
      maxTime: 2 ** 63,
      supportsSharding: true,
      supportsWithoutReplicaLabels: true,
      streams: [{ labels: Labels.fromObject({ host: 'a' }), minTime: 5, maxTime: 7 }],
    },
    apis: ['rules', 'query'],
  };
  expect(decodeInfo(encodeInfo(info))).toEqual(info);
});

test('an announcement without a store has none', () => {
  const info: StoreInfo = { componentType: 'rule', labelSets: [], store: null, apis: ['rules'] };
  expect(decodeInfo(encodeInfo(info))).toEqual(info);
});
