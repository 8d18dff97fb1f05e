// States of systemd's units, restarts of services, sockets and timers. systemctl is asked seldom: listing
// units is one call to the manager, and only services, sockets and timers are asked for properties.

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import { type RunCommand, runCommand } from '../sdk/command.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { flag, number, pattern, text } from '../sdk/options.ts';
import { requirePath } from './absence.ts';
import { parseProperties, parseSystemdTime, parseUnits, type Unit } from './systemd-answers.ts';

const ANSWER_MS = 10_000;
const STATES = ['active', 'activating', 'deactivating', 'inactive', 'failed'] as const;
const LIST = ['list-units', '--all', '--full', '--plain', '--no-legend', '--no-pager'];
const MANAGER = ['show', '--property=Version,SystemState,Virtualization'];
/** Older versions cannot tell moments in a zone of our choice. */
const IN_UTC = '--timestamp=utc';
const DETAILS = [
  'show',
  '*.service',
  '*.socket',
  '*.timer',
  '--property=Id,Type,NRestarts,NAccepted,NConnections,NRefused,LastTriggerUSec,TasksCurrent,' +
    'TasksMax,ActiveState,ActiveEnterTimestamp',
];

const OPTIONS = {
  unitInclude: pattern('Units to expose.', '.'),
  unitExclude: pattern('Units to leave out.', '^.+\\.(automount|device|mount|scope|slice)$'),
  unitsMax: number('Units beyond are counted and not exposed.', 1000, { min: 0, max: 100_000 }),
  enableTaskMetrics: flag('Expose tasks of services.', false),
  enableStartTimeMetrics: flag('Expose when units started.', false),
  systemctl: text('The program to ask.', 'systemctl'),
};

/** The collector over a way to run systemctl. */
export function newSystemd(run: RunCommand) {
  return defineCollector({
    name: 'systemd',
    help: 'States of units, restarts of services, sockets and timers.',
    defaultEnabled: true,
    intervalMs: 30_000,
    options: OPTIONS,
    open({ files, metrics, options, clock }) {
      const booted = join(files.roots.rootfs, 'run/systemd/system');
      const check = requirePath(booted, 'systemd does not run here');
      const closed = new AbortController();
      const report = new Report(metrics, options);
      const ask = async (args: readonly string[]): Promise<string> => {
        const limits = { clock, timeoutMs: ANSWER_MS, signal: closed.signal };
        const { code, stdout, stderr } = await run(options.systemctl, args, limits);
        if (code !== 0) throw new Error(`run systemctl ${args[0]}: ${stderr.trim()}`);
        return stdout;
      };
      return {
        collect: async time => {
          check(time);
          const units = parseUnits(await ask(LIST));
          const [manager] = parseProperties(await ask(MANAGER));
          const details = await ask([...DETAILS, IN_UTC]).catch(() => ask(DETAILS));
          report.manager(manager ?? new Map());
          report.units(units, parseProperties(details));
        },
        close: () => closed.abort(),
      };
    },
  });
}

export const systemd = newSystemd(runCommand);

type Properties = ReadonlyMap<string, string>;

interface Wanted {
  readonly unitInclude: RegExp | null;
  readonly unitExclude: RegExp | null;
  readonly unitsMax: number;
  readonly enableTaskMetrics: boolean;
  readonly enableStartTimeMetrics: boolean;
}

class Report {
  readonly #options: Wanted;
  readonly #families: ReturnType<typeof newFamilies>;

  constructor(metrics: Metrics, options: Wanted) {
    this.#options = options;
    this.#families = newFamilies(metrics);
  }

  manager(properties: Properties): void {
    const version = properties.get('Version') ?? '';
    const [number] = /\d{3,}(\.\d+)?/.exec(version) ?? ['0'];
    const families = this.#families;
    families.version.with(version).set(Number(number));
    families.running.with().set(properties.get('SystemState') === 'running' ? 1 : 0);
    families.virtualization.with(properties.get('Virtualization') || 'none').set(1);
  }

  units(units: readonly Unit[], details: readonly Properties[]): void {
    for (const state of STATES) {
      this.#families.units.with(state).set(units.filter(unit => unit.active === state).length);
    }
    const { unitInclude, unitExclude, unitsMax } = this.#options;
    const byId = new Map(details.map(properties => [properties.get('Id') ?? '', properties]));
    const shown = units.filter(
      ({ name, load }) =>
        load === 'loaded' && (unitInclude?.test(name) ?? true) && !unitExclude?.test(name),
    );
    for (const unit of shown.slice(0, unitsMax)) {
      const properties: Properties = byId.get(unit.name) ?? new Map();
      for (const state of STATES) {
        const series = this.#families.unitState.with(
          unit.name,
          state,
          unit.name.endsWith('.service') ? (properties.get('Type') ?? '') : '',
        );
        series.set(unit.active === state ? 1 : 0);
      }
      this.#details(unit.name, properties);
    }
  }

  #details(name: string, properties: Properties): void {
    const families = this.#families;
    const set = (property: string, family: { with(name: string): { set(n: number): void } }) => {
      const value = Number.parseInt(properties.get(property) ?? '', 10);
      // Where nothing is counted, systemd prints [not set] or infinity.
      if (!Number.isNaN(value)) family.with(name).set(value);
    };
    if (name.endsWith('.service')) {
      set('NRestarts', families.restarts);
      if (this.#options.enableTaskMetrics) {
        set('TasksCurrent', families.tasks);
        set('TasksMax', families.tasksMax);
      }
    } else if (name.endsWith('.socket')) {
      set('NAccepted', families.accepted);
      set('NConnections', families.connections);
      set('NRefused', families.refused);
    } else if (name.endsWith('.timer')) {
      const last = parseSystemdTime(properties.get('LastTriggerUSec') ?? '');
      if (!Number.isNaN(last)) families.lastTrigger.with(name).set(last);
    }
    if (this.#options.enableStartTimeMetrics) {
      const isActive = properties.get('ActiveState') === 'active';
      const start = parseSystemdTime(properties.get('ActiveEnterTimestamp') ?? '');
      if (!Number.isNaN(start)) families.startTime.with(name).set(isActive ? start : 0);
    }
  }
}

function newFamilies(metrics: Metrics) {
  const gauge = <const L extends readonly string[]>(name: string, help: string, labels: L) =>
    metrics.gauge({ name: `node_systemd_${name}`, help, labels });
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `node_systemd_${name}_total`, help, labels: ['name'] });
  return {
    unitState: gauge('unit_state', 'Whether the unit is in the state (1).', [
      'name',
      'state',
      'type',
    ]),
    units: gauge('units', 'Units in the state.', ['state']),
    running: gauge('system_running', 'Whether all that should run does (1).', []),
    version: gauge('version', 'Version of systemd.', ['version']),
    virtualization: gauge('virtualization_info', 'Kind of virtualization; always 1.', [
      'virtualization_type',
    ]),
    restarts: counter('service_restart', 'Times the service was restarted by itself.'),
    tasks: gauge('unit_tasks_current', 'Tasks of the unit.', ['name']),
    tasksMax: gauge('unit_tasks_max', 'Tasks the unit may have.', ['name']),
    accepted: counter('socket_accepted_connections', 'Connections the socket accepted.'),
    connections: gauge('socket_current_connections', 'Connections that are open.', ['name']),
    refused: gauge('socket_refused_connections_total', 'Connections the socket refused.', ['name']),
    lastTrigger: gauge('timer_last_trigger_seconds', 'When the timer last fired, Unix time.', [
      'name',
    ]),
    startTime: gauge('unit_start_time_seconds', 'When the unit started, Unix time.', ['name']),
  };
}
