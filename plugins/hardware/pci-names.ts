// Names of PCI vendors, devices and classes from the pci.ids file that distributions install
// (https://pci-ids.ucw.cz). It has some 40,000 lines, so only what this host has is kept.

/** Identifiers of one device, lower-case hexadecimal without 0x; a class has six digits. */
export interface PciIds {
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
  readonly class: string;
}

/** Names for the identifiers; an identifier without a name stands for itself. */
export interface PciNames {
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
  readonly class: string;
}

/** Reads pci.ids and returns the names of these devices, in their order. */
export function resolvePciNames(text: string, devices: readonly PciIds[]): PciNames[] {
  const known = collectNames(text, wantedKeys(devices));
  return devices.map(ids => {
    const { vendor, device, subsystemVendor, subsystemDevice, class: code } = ids;
    const subsystem = `${vendor}/${device}/${subsystemVendor} ${subsystemDevice}`;
    const className = [6, 4, 2].flatMap(digits => known.get(`C${code.slice(0, digits)}`) ?? []);
    return {
      vendor: known.get(vendor) ?? vendor,
      device: known.get(`${vendor}/${device}`) ?? device,
      subsystemVendor: known.get(subsystemVendor) ?? subsystemVendor,
      subsystemDevice: known.get(subsystem) ?? subsystemDevice,
      class: className[0] ?? `Unknown class (${code})`,
    };
  });
}

function wantedKeys(devices: readonly PciIds[]): Set<string> {
  return new Set(
    devices.flatMap(ids => [
      ids.vendor,
      ids.subsystemVendor,
      `${ids.vendor}/${ids.device}`,
      `${ids.vendor}/${ids.device}/${ids.subsystemVendor} ${ids.subsystemDevice}`,
      ...[2, 4, 6].map(digits => `C${ids.class.slice(0, digits)}`),
    ]),
  );
}

/** Lines are indented by their depth: vendor, device, subsystem; or class, subclass, interface. */
function collectNames(text: string, wanted: ReadonlySet<string>): Map<string, string> {
  const names = new Map<string, string>();
  const path: string[] = [];
  let inClasses = false;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const depth = line.startsWith('\t\t') ? 2 : line.startsWith('\t') ? 1 : 0;
    const at = line.indexOf('  ');
    if (at === -1) continue;
    if (depth === 0) inClasses = line.startsWith('C ');
    const id = line.slice(depth === 0 && inClasses ? 2 : depth, at).trim();
    path.length = depth;
    path.push(id);
    const key = inClasses ? `C${path.join('')}` : path.join('/');
    if (wanted.has(key)) names.set(key, line.slice(at).trim());
  }
  return names;
}
