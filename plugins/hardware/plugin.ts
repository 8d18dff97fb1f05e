// The collectors of a host's hardware. A new one is a file beside this one and a line in this list.

import { definePlugin } from '../sdk/runtime.ts';
import { cpufreq } from './cpufreq.ts';
import { dmi } from './dmi.ts';
import { dmmultipath } from './dmmultipath.ts';
import { drm } from './drm.ts';
import { edac } from './edac.ts';
import { fibrechannel } from './fibrechannel.ts';
import { gpu } from './gpu.ts';
import { hwmon } from './hwmon.ts';
import { infiniband } from './infiniband.ts';
import { hostInventory, inventory } from './inventory.ts';
import { ipmi } from './ipmi.ts';
import { mdadm } from './mdadm.ts';
import { nvme } from './nvme.ts';
import { nvmeSubsystem } from './nvme-subsystem.ts';
import { pciAer } from './pci-aer.ts';
import { pcidevice } from './pcidevice.ts';
import { powerSupplyClass } from './power-supply-class.ts';
import { rapl } from './rapl.ts';
import { smart } from './smart.ts';
import { tapestats } from './tapestats.ts';
import { thermalZone } from './thermal-zone.ts';
import { watchdog } from './watchdog.ts';

export const hardwarePlugin = definePlugin({
  name: 'hardware',
  version: '0.1.0',
  collectors: [
    cpufreq,
    dmi,
    dmmultipath,
    drm,
    edac,
    fibrechannel,
    gpu,
    hwmon,
    infiniband,
    inventory,
    ipmi,
    mdadm,
    nvme,
    nvmeSubsystem,
    pciAer,
    pcidevice,
    powerSupplyClass,
    rapl,
    smart,
    tapestats,
    thermalZone,
    watchdog,
  ],
  inventory: hostInventory,
});
