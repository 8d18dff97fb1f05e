// Parses /proc/mdstat, the kernel's table of software RAID arrays: three lines or more an array.

/** What an array is doing; `unknown` states have no series of their own. */
export const ARRAY_STATES = ['active', 'inactive', 'recovering', 'resync', 'check'] as const;

/** One array. Blocks are of 1 KiB. */
export interface MdArray {
  readonly name: string;
  /** As in ARRAY_STATES, or another word. */
  readonly state: string;
  readonly disks: { readonly active: number; readonly failed: number; readonly spare: number };
  readonly disksRequired: number;
  readonly blocks: number;
  readonly blocksSynced: number;
}

/** Reads the table. Throws on an array whose size cannot be found. */
export function parseMdstat(text: string): MdArray[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const [, name, rest] = /^(\S+) : (.+)$/.exec(line) ?? [];
    if (name === undefined || name === 'Personalities' || rest === undefined) return [];
    const detail = [];
    for (let at = i + 1; at < lines.length && /^\s+\S/.test(lines[at]!); at++) {
      detail.push(lines[at]!);
    }
    return [parseArray(name, rest, detail)];
  });
}

function parseArray(name: string, rest: string, detail: readonly string[]): MdArray {
  const size = /^\s+(\d+) blocks/.exec(detail[0] ?? '')?.[1];
  if (size === undefined) throw new Error(`the size of ${name} expected in /proc/mdstat`);
  const blocks = Number(size);
  const disks = diskCounts(rest, detail[0]!);
  const sync = syncState(detail.slice(1));
  return {
    name,
    state: sync?.state ?? rest.split(' ')[0]!,
    disks: { active: disks.active, failed: count(rest, '(F)'), spare: count(rest, '(S)') },
    disksRequired: disks.required,
    blocks,
    blocksSynced: sync?.done ?? blocks,
  };
}

function diskCounts(rest: string, status: string): { active: number; required: number } {
  if (rest.startsWith('inactive')) return { active: 0, required: 0 };
  // These have no redundancy and so no [n/m]: every member is needed.
  if (/\b(raid0|linear)\b/.test(rest)) {
    const members = count(rest, '[');
    return { active: members, required: members };
  }
  const [, required, active] = /\[(\d+)\/(\d+)\]/.exec(status) ?? [];
  return { active: Number(active ?? 0), required: Number(required ?? 0) };
}

/** What the array is busy with; null where it is at rest. */
function syncState(detail: readonly string[]): { state: string; done: number } | null {
  for (const line of detail) {
    const [, word] = /\b(recovery|reshape|check|resync)\b/.exec(line) ?? [];
    if (word === undefined) continue;
    const state = word === 'recovery' ? 'recovering' : word;
    const done = /PENDING|DELAYED/.test(line) ? '0' : /\((\d+)\/\d+\)/.exec(line)?.[1];
    return { state, done: Number(done ?? 0) };
  }
  return null;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
