// What this host is made of, as metrics and as things with attributes, from what the inventory's process
// found. What is empty or unknown is left out; lists are bounded.

import type { Entity } from '../sdk/features.ts';
import { listAt, numberAt, textAt, valueAt } from './json-path.ts';

/** Most parts of one kind. */
const PARTS_MAX = 256;

/** One part of the host. */
export interface Part {
  /** As in 'dimm'. */
  readonly kind: PartKind;
  /** Tells it from others of its kind: a slot, a device name, a number. */
  readonly id: string;
  /** In the order of PART_LABELS; '' where it is not known. */
  readonly texts: readonly string[];
  /** Bytes of a part that holds data; NaN for others. */
  readonly bytes: number;
}

export type PartKind = keyof typeof PART_LABELS;

/** Labels of each kind of part; the same names are properties of what systeminformation returns. */
export const PART_LABELS = {
  system: {
    manufacturer: 'manufacturer',
    model: 'model',
    version: 'version',
    serial: 'serial',
    sku: 'sku',
    virtual_host: 'virtualHost',
  },
  bios: { vendor: 'vendor', version: 'version', release_date: 'releaseDate' },
  board: { manufacturer: 'manufacturer', model: 'model', version: 'version', serial: 'serial' },
  chassis: { manufacturer: 'manufacturer', model: 'model', type: 'type', serial: 'serial' },
  cpu: {
    manufacturer: 'manufacturer',
    brand: 'brand',
    family: 'family',
    model: 'model',
    stepping: 'stepping',
    socket: 'socket',
  },
  dimm: {
    bank: 'bank',
    type: 'type',
    form_factor: 'formFactor',
    manufacturer: 'manufacturer',
    part_number: 'partNum',
    serial: 'serialNum',
  },
  disk: {
    device: 'device',
    type: 'type',
    vendor: 'vendor',
    name: 'name',
    interface: 'interfaceType',
    firmware: 'firmwareRevision',
    serial: 'serialNum',
  },
  gpu: {
    vendor: 'vendor',
    model: 'model',
    bus_address: 'busAddress',
    driver_version: 'driverVersion',
  },
} as const;

/** What a program that may not look says instead of a serial number. */
const NOTHING = /^(-|none|unknown|not specified|default string|to be filled by o\.e\.m\.?)?$/i;

/** The parts of a host, from an object with a property for each kind or, for several, a list. */
export function partsOf(found: unknown): Part[] {
  const part = (kind: PartKind, from: unknown, id: string, bytes = Number.NaN): Part => ({
    kind,
    id,
    bytes,
    texts: Object.values(PART_LABELS[kind]).map(path => {
      const text = textAt(from, path);
      return NOTHING.test(text) ? '' : text;
    }),
  });
  const singles = (['system', 'bios', 'board', 'chassis', 'cpu'] as const).map(kind =>
    part(kind, valueAt(found, kind), kind),
  );
  const lists = (['dimm', 'disk', 'gpu'] as const).flatMap(kind =>
    listAt(found, kind)
      .slice(0, PARTS_MAX)
      .map((from, i) => {
        const id = textAt(from, 'device') || textAt(from, 'busAddress') || String(i);
        return part(kind, from, id, kind === 'gpu' ? Number.NaN : numberAt(from, 'size'));
      }),
  );
  return [...singles, ...lists].filter(({ texts }) => texts.some(text => text !== ''));
}

/** A part as an inventory tells it. */
export function entityOf({ kind, id, texts, bytes }: Part): Entity {
  const names = Object.keys(PART_LABELS[kind]);
  const attributes: Record<string, string | number> = {};
  for (const [i, text] of texts.entries()) if (text !== '') attributes[names[i]!] = text;
  if (bytes > 0) attributes['size_bytes'] = bytes;
  return { id: `${kind}/${id}`, type: kind, attributes };
}
