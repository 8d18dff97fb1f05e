// Sensors, power, chassis and event log of the machine's management controller, from freeipmi's programs
// under ipmi_exporter's names. A controller is slow, so it is asked once a minute, one question at a time.

import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { type RunCommand, runCommand } from '../sdk/command.ts';
import type { Files } from '../sdk/files.ts';
import { flag, number } from '../sdk/options.ts';
import {
  type IpmiSample,
  parseBmc,
  parseChassis,
  parseDcmi,
  parseSel,
  parseSensors,
  parseWatchdog,
} from './ipmi-report.ts';

const INTERVAL_MS = 60_000;
const PROBE_MS = 5_000;
const SENSOR_ARGS = [
  '--quiet-cache',
  '--ignore-unrecognized-events',
  '--comma-separated-output',
  '--no-header-output',
  '--sdr-cache-recreate',
  '--output-event-bitmask',
  '--output-sensor-state',
];

/** What is asked: option, program, arguments, reader. The first tells whether anything can be asked at all. */
const QUESTIONS = [
  { option: 'sensors', program: 'ipmimonitoring', args: SENSOR_ARGS, parse: parseSensors },
  {
    option: 'power',
    program: 'ipmi-dcmi',
    args: ['--get-system-power-statistics'],
    parse: parseDcmi,
  },
  {
    option: 'chassis',
    program: 'ipmi-chassis',
    args: ['--get-chassis-status'],
    parse: parseChassis,
  },
  { option: 'log', program: 'ipmi-sel', args: ['--info'], parse: parseSel },
  { option: 'controller', program: 'bmc-info', args: [], parse: parseBmc },
  { option: 'watchdog', program: 'bmc-watchdog', args: ['--get'], parse: parseWatchdog },
] as const;

/** The collector, over programs of the caller's choice. */
export function newIpmi(run: RunCommand) {
  return defineCollector({
    name: 'ipmi',
    help: 'Sensors, power and log of the management controller, from freeipmi.',
    defaultEnabled: true,
    intervalMs: INTERVAL_MS,
    options: {
      sensors: flag('Asks for sensors.', true),
      power: flag('Asks for the power in use (DCMI).', true),
      chassis: flag('Asks for power and faults of the chassis.', true),
      log: flag('Asks how full the log of the machine is.', true),
      controller: flag('Asks the controller for its versions.', true),
      watchdog: flag('Asks for the watchdog of the controller.', false),
      timeoutSeconds: number('Time after which a question counts as not answered.', 30, {
        min: 1,
        max: 50,
      }),
    },
    async probe({ files, clock }) {
      requireController(files);
      await run('ipmimonitoring', ['--version'], { clock, timeoutMs: PROBE_MS });
      return { outcome: 'ok' };
    },
    open({ files, metrics, options, clock }) {
      const ending = new AbortController();
      const timeoutMs = options.timeoutSeconds * 1000;
      const show = ({ name, labels, value }: IpmiSample): void => {
        metrics
          .gauge<readonly string[]>({
            name,
            help: `${name.slice('ipmi_'.length).replaceAll('_', ' ')}, as freeipmi tells it.`,
            labels: Object.keys(labels),
          })
          .with(...Object.values(labels))
          .set(value);
      };
      const collect = async (): Promise<void> => {
        requireController(files);
        const samples: IpmiSample[] = [];
        const problems: string[] = [];
        for (const { option, program, args, parse } of QUESTIONS) {
          if (!options[option]) continue;
          const { code, stdout, stderr } = await run(program, args, {
            clock,
            timeoutMs,
            signal: ending.signal,
          }).catch(error => {
            if (error instanceof NoDataError) throw error;
            return { code: -1, stdout: '', stderr: String(error) };
          });
          if (/permission denied/i.test(stdout + stderr)) {
            throw new NoDataError('the management controller may be asked by root alone');
          }
          samples.push(...parse(stdout));
          // A controller may lack DCMI or a watchdog; only silence about sensors is trouble.
          if (code !== 0 && option === 'sensors')
            problems.push(stderr.trim() || `${program}: ${code}`);
        }
        for (const sample of samples) show(sample);
        if (problems.length > 0) throw new Error(problems.join('; '));
      };
      return { collect, close: () => ending.abort() };
    },
  });
}

export const ipmi = newIpmi(runCommand);

function requireController(files: Files): void {
  if (files.list(`${files.roots.sysfs}/class/ipmi`).length > 0) return;
  throw new NoDataError('no management controller: /sys/class/ipmi is empty');
}
