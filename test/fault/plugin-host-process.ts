// A process with a plugin host, to be killed: socket directory and the plugin's arguments come as arguments;
// prints the plugin's process id once it delivers.

import { PluginHost } from '../../plugins/host/plugin-host.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';

const [socketDir = '', ...args] = process.argv.slice(2);
const host: PluginHost = new PluginHost({
  plugins: [{ name: 'p', command: process.execPath, args }],
  sink: {
    source: () => ({
      family() {},
      series() {},
      async collected() {
        process.stdout.write(`${host.list()[0]!.pid}\n`);
      },
      async added() {},
      async close() {},
    }),
  },
  onEvent: () => {},
  clock: systemClock,
  random: () => 0,
  logger: silentLogger,
  registry: new Registry(),
  socketDir,
  intervalMs: 200,
});
setInterval(() => {}, 1000);
await host.run(new AbortController().signal);
