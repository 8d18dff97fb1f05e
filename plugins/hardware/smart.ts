// Health of disks as smartctl tells it, under smartctl_exporter's names: every ten minutes, one disk after
// the other, and without waking one that sleeps. Hosts with nvme alone are asked about their NVMe disks.

import { type CollectorContext, defineCollector, NoDataError } from '../sdk/collector.ts';
import { type CommandResult, type RunCommand, runCommand } from '../sdk/command.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { number, pattern } from '../sdk/options.ts';
import { listAt, numberAt, parseJson, textAt } from './json-path.ts';
import { smartFromNvme } from './nvme-report.ts';
import { deviceLabel, type SmartFamily, smartSamples } from './smart-report.ts';

const INTERVAL_MS = 10 * 60_000;
/** Between two disks, so that they do not all get busy at once. */
const PAUSE_MS = 1000;
/** Bits of smartctl's exit status that mean: no answer from the disk. */
const NO_ANSWER = 0b11;

const OPTIONS = {
  deviceInclude: pattern('Disks to ask, as in sda or nvme0; takes the place of deviceExclude.', ''),
  deviceExclude: pattern('Disks to leave alone.', ''),
  timeoutSeconds: number('Time after which a disk counts as not answering.', 30, {
    min: 1,
    max: 300,
  }),
  maxDevices: number('Most disks that are asked.', 64, { min: 1, max: 1000 }),
};

interface Disk {
  readonly path: string;
  /** As smartctl calls it, as in "sat" or "megaraid,3". */
  readonly type: string;
}

/** What came of asking a disk. */
type Answer =
  | { readonly report: unknown }
  | { readonly asleep: true }
  | { readonly problem: string };

type Context = CollectorContext<typeof OPTIONS>;

/** The collector, over programs of the caller's choice. */
export function newSmart(run: RunCommand) {
  return defineCollector({
    name: 'smart',
    help: 'Health, wear and errors of disks, from smartctl or nvme.',
    defaultEnabled: true,
    intervalMs: INTERVAL_MS,
    capabilities: ['CAP_SYS_RAWIO', 'CAP_SYS_ADMIN'],
    options: OPTIONS,
    async probe(context) {
      const disks = await newAsker(run, context, new AbortController().signal).disks();
      if (disks.length > 0) return { outcome: 'ok', message: `disks: ${disks.length}` };
      return { outcome: 'not-applicable', message: 'smartctl knows no disk it could ask' };
    },
    open(context) {
      const { metrics, options, clock, logger } = context;
      const wanted = newNameFilter(options.deviceInclude, options.deviceExclude);
      const show = newSmartSeries(metrics);
      const known = new Map<string, (readonly [Series, number])[]>();
      const ending = new AbortController();
      const ask = newAsker(run, context, ending.signal);
      const pause = () => new Promise<void>(resolve => clock.after(PAUSE_MS, resolve));
      const collect = async (): Promise<void> => {
        const found = (await ask.disks()).filter(({ path, type }) =>
          wanted(deviceLabel(path, type)),
        );
        const disks = found.slice(0, options.maxDevices);
        if (disks.length < found.length)
          logger.warn('not all disks are asked', { disks: found.length });
        const problems: string[] = [];
        const samples: (readonly [Series, number])[] = [];
        for (const [i, disk] of disks.entries()) {
          if (i > 0) await pause();
          const name = deviceLabel(disk.path, disk.type);
          const answer = await ask.disk(disk);
          if ('problem' in answer) problems.push(`${disk.path}: ${answer.problem}`);
          if ('report' in answer) known.set(name, show.samples(answer.report));
          samples.push([show.asleep(name), 'asleep' in answer ? 1 : 0]);
          // A disk that sleeps has not changed since it was asked last.
          if (!('problem' in answer)) samples.push(...(known.get(name) ?? []));
        }
        show.count(disks.length);
        for (const [series, value] of samples) series.set(value);
        if (problems.length === 0) return;
        if (
          problems.length === disks.length &&
          problems.every(text => /denied|permitted/i.test(text))
        ) {
          throw new NoDataError('disks may be asked by root alone');
        }
        throw new Error(problems.slice(0, 5).join('; '));
      };
      return { collect, close: () => ending.abort() };
    },
  });
}

export const smart = newSmart(runCommand);

function newSmartSeries(metrics: Metrics) {
  const count = metrics.gauge({ name: 'smartctl_devices', help: 'Disks that are asked.' }).with();
  const asleep = metrics.gauge({
    name: 'node_smart_device_asleep',
    help: 'Whether the disk slept when it was to be asked and was left to (1).',
    labels: ['device'],
  });
  const familyOf = ({ name, type, help, labels }: SmartFamily) =>
    metrics[type]<readonly string[]>({ name, help, labels: ['device', ...labels] });
  return {
    count: (disks: number): void => count.set(disks),
    asleep: (device: string): Series => asleep.with(device),
    samples: (report: unknown): (readonly [Series, number])[] =>
      smartSamples(report).map(
        ({ family, labels, value }) => [familyOf(family).with(...labels), value] as const,
      ),
  };
}

interface Asker {
  readonly disks: () => Promise<readonly Disk[]>;
  readonly disk: (disk: Disk) => Promise<Answer>;
}

/** Asks with smartctl; where that is not installed, with nvme. */
function newAsker(
  run: RunCommand,
  { files, clock, options }: Pick<Context, 'files' | 'clock' | 'options'>,
  signal: AbortSignal,
): Asker {
  const timeoutMs = options.timeoutSeconds * 1000;
  const call = (program: string, ...args: string[]): Promise<CommandResult> =>
    run(program, args, { clock, timeoutMs, signal });
  const directory = `${files.roots.sysfs}/class/nvme`;
  let hasSmartctl = true;
  const disks = async (): Promise<readonly Disk[]> => {
    try {
      const { stdout } = await call('smartctl', '--json', '--scan');
      hasSmartctl = true;
      return listAt(parseJson(stdout), 'devices').map(device => ({
        path: textAt(device, 'name'),
        type: textAt(device, 'type'),
      }));
    } catch (error) {
      if (!(error instanceof NoDataError)) throw error;
      const controllers = files.list(directory);
      if (controllers.length === 0) throw error;
      hasSmartctl = false;
      return controllers.map(name => ({ path: `/dev/${name}`, type: 'nvme' }));
    }
  };
  const askNvme = async (path: string): Promise<Answer> => {
    const { stdout, stderr } = await call('nvme', 'smart-log', '--output-format=json', path);
    const text = (file: string): string =>
      files.text(`${directory}/${path.slice('/dev/'.length)}/${file}`) ?? '';
    const [model, serial, firmware] = ['model', 'serial', 'firmware_rev'].map(text);
    const report = smartFromNvme(stdout, {
      path,
      model: model!,
      serial: serial!,
      firmware: firmware!,
    });
    return report === null ? { problem: stderr.trim() || 'no answer of nvme' } : { report };
  };
  const askSmartctl = async ({ path, type }: Disk): Promise<Answer> => {
    const how = ['--info', '--health', '--attributes', '--tolerance=verypermissive'];
    const which = ['--nocheck=standby', '--format=brief', '--log=error', `--device=${type}`, path];
    return readSmartctl(await call('smartctl', '--json', ...how, ...which));
  };
  return {
    disks,
    async disk(disk) {
      try {
        return await (hasSmartctl ? askSmartctl(disk) : askNvme(disk.path));
      } catch (error) {
        // One disk without an answer, or without its program, is no reason to leave the others unasked.
        return { problem: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

/** What smartctl's answer means. Its exit status has bits for failing disks too, which are an answer. */
export function readSmartctl({ stdout, stderr }: CommandResult): Answer {
  const json = parseJson(stdout);
  if (json === undefined) return { problem: stderr.trim() || 'smartctl printed no JSON' };
  const messages = listAt(json, 'smartctl.messages').map(message => textAt(message, 'string'));
  if (messages.some(text => /^Device is in .* mode/.test(text))) return { asleep: true };
  if ((numberAt(json, 'smartctl.exit_status') & NO_ANSWER) !== 0) {
    return { problem: messages.join(', ') || 'smartctl could not open the disk' };
  }
  return { report: json };
}
