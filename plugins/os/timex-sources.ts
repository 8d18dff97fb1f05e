// Who can tell the state of the kernel's clock: adjtimex(2) has no file, and Node.js cannot make system
// calls. An interpreter that most hosts have makes the call with a program of one line; where there is
// none, the time service's own tools know a part. Struct timex is that of linux/timex.h on 64-bit hosts.

import { arch } from 'node:os';

/** What adjtimex(2) tells, in its own units; what a source does not know is absent. */
export interface ClockState {
  /** The call's result: 5 (TIME_ERROR) means the clock is not synchronized. */
  readonly state: number;
  readonly offset?: number;
  /** Parts per million, times 2^16. */
  readonly freq?: number;
  readonly maxerror?: number;
  readonly esterror?: number;
  readonly status?: number;
  readonly constant?: number;
  readonly tick?: number;
  readonly ppsfreq?: number;
  readonly jitter?: number;
  readonly shift?: number;
  readonly stabil?: number;
  readonly jitcnt?: number;
  readonly calcnt?: number;
  readonly errcnt?: number;
  readonly stbcnt?: number;
  readonly tai?: number;
}

/** A program and how its answer reads. */
export interface ClockSource {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** null where the answer is none. */
  readonly parse: (answer: string) => ClockState | null;
}

/** Number of the system call by architecture (asm/unistd.h); others are told by libc alone. */
const SYSCALLS: Readonly<Record<string, number>> = {
  x64: 159,
  arm64: 171,
  riscv64: 171,
  loong64: 171,
  ppc64: 124,
  s390x: 124,
};
const STRUCT_BYTES = 208;
/** The fields of struct timex in order; an underscore is one that nobody asks for. */
const FIELDS =
  '_ offset freq maxerror esterror status constant _ _ _ _ tick ppsfreq jitter shift stabil ' +
  'jitcnt calcnt errcnt stbcnt tai';
/** TIME_ERROR of linux/timex.h. */
export const NOT_SYNCHRONIZED = 5;
const PPM_UNIT = 65_536;
const MICROSECONDS = 1e6;
const NANOSECONDS = 1e9;
/** STA_NANO of linux/timex.h: offset and jitter are in nanoseconds. */
export const STATUS_NANO = 0x2000;

/** The sources of this architecture, the best first. */
export function clockSources(architecture: string = arch()): readonly ClockSource[] {
  const syscall = SYSCALLS[architecture];
  const template = 'i x4 q4 i x4 q8 i x4 q5 i';
  const perl =
    `my $b="\\0"x${STRUCT_BYTES};my $r=syscall(${syscall},$b);` +
    `print join(" ",$r,unpack("${template}",$b))`;
  const python =
    `import ctypes,struct;b=ctypes.create_string_buffer(${STRUCT_BYTES});` +
    'r=ctypes.CDLL(None).adjtimex(b);' +
    'print(r,*struct.unpack_from("i4xqqqqi4xqqqqqqqqi4xqqqqqi",b.raw))';
  const sources: ClockSource[] = [
    { name: 'python3', program: 'python3', args: ['-I', '-S', '-c', python], parse: parseTimex },
    { name: 'adjtimex', program: 'adjtimex', args: ['--print'], parse: parseAdjtimex },
    { name: 'chronyc', program: 'chronyc', args: ['-c', 'tracking'], parse: parseChrony },
    {
      name: 'timedatectl',
      program: 'timedatectl',
      args: ['show', '--property=NTPSynchronized', '--value'],
      parse: parseTimedatectl,
    },
  ];
  if (syscall === undefined) return sources;
  return [{ name: 'perl', program: 'perl', args: ['-e', perl], parse: parseTimex }, ...sources];
}

/** The call's result and the fields of struct timex in a line. */
export function parseTimex(answer: string): ClockState | null {
  const [state, ...values] = answer.trim().split(/\s+/).map(Number);
  const names = FIELDS.split(' ');
  if (state === undefined || values.length !== names.length) return null;
  if (state < 0 || values.some(Number.isNaN)) return null;
  const fields = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  return { ...fields, state };
}

/** Lines of "name: value" as adjtimex(8) prints them. */
export function parseAdjtimex(answer: string): ClockState | null {
  const values = new Map<string, number>();
  for (const [, name, value] of answer.matchAll(/^\s*([\w ]+?):\s+(-?\d+)/gm)) {
    values.set(name!, Number(value));
  }
  const state = /return value = (\d+)/.exec(answer)?.[1];
  if (state === undefined) return null;
  const fields: Record<string, number> = {};
  for (const [name, printed] of [
    ['offset', 'offset'],
    ['freq', 'frequency'],
    ['maxerror', 'maxerror'],
    ['esterror', 'esterror'],
    ['status', 'status'],
    ['constant', 'time_constant'],
    ['tick', 'tick'],
  ] as const) {
    const value = values.get(printed);
    if (value !== undefined) fields[name] = value;
  }
  return { ...fields, state: Number(state) };
}

/** The comma-separated line of chronyc(1), "tracking". */
export function parseChrony(answer: string): ClockState | null {
  const words = answer.trim().split(',');
  const [offset, , , frequency] = words.slice(4).map(Number);
  const [delay, dispersion] = words.slice(10).map(Number);
  const leap = words[13];
  if (leap === undefined || Number.isNaN(offset) || Number.isNaN(frequency)) return null;
  return {
    state: leap === 'Not synchronised' ? NOT_SYNCHRONIZED : 0,
    // chrony is ahead of what it calls slow by a negative number.
    offset: Math.round(-offset! * NANOSECONDS),
    status: STATUS_NANO,
    freq: Math.round(frequency! * PPM_UNIT),
    maxerror: Math.round((delay! / 2 + dispersion!) * MICROSECONDS),
  };
}

function parseTimedatectl(answer: string): ClockState | null {
  const word = answer.trim();
  if (word !== 'yes' && word !== 'no') return null;
  return { state: word === 'yes' ? 0 : NOT_SYNCHRONIZED };
}
