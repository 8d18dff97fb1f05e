// What is decided before a plugin starts: which file, whether it may be, how its line looks.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAccount } from '../../../plugins/host/accounts.ts';
import { findCommand, formatProblem } from '../../../plugins/host/command-file.ts';
import { launchLine, lineProblem } from '../../../plugins/host/launch-line.ts';
import { type PluginSpec, specChange } from '../../../plugins/host/plugin-spec.ts';
import {
  type Ownership,
  ownershipProblem,
  verifyExecutable,
} from '../../../plugins/host/verify.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outpost-launch-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string | Uint8Array, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** The head of a 64-bit little-endian ELF file for a machine. */
function elf(machine: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes[18] = machine & 0xff;
  bytes[19] = machine >> 8;
  return bytes;
}

describe('findCommand', () => {
  it('looks names up in PATH, passing by what is no executable file', () => {
    mkdirSync(join(folder, 'a/tool'), { recursive: true });
    mkdirSync(join(folder, 'b'));
    const path = file('b/tool', '#!/bin/sh\n');
    expect(findCommand('tool', `${folder}/a:${folder}/b`)).toEqual({ path });
    expect(findCommand('tool', `${folder}/a`)).toEqual({
      problem: 'there is no such command: tool',
    });
  });

  it('says that a file may not be executed', () => {
    const path = file('tool', '#!/bin/sh\n', 0o644);
    expect(findCommand(path)).toEqual({ problem: `it may not be executed (chmod +x?): ${path}` });
  });
});

describe('formatProblem', () => {
  it('names the CPU a program was made for', () => {
    const path = file('plugin', elf(183));
    expect(formatProblem(path, 'x64')).toBe(
      `it is a program for another CPU (arm64, this is x64): ${path}`,
    );
    expect(formatProblem(path, 'arm64')).toBe(null);
    expect(formatProblem(file('odd', elf(9999)), 'x64')).toContain(
      '(ELF machine 9999, this is x64)',
    );
  });

  it('takes scripts with #! and nothing else', () => {
    expect(formatProblem(file('a', '#!/bin/sh\n'))).toBe(null);
    const path = file('b', 'echo hello\n');
    expect(formatProblem(path)).toBe(
      `it is no program, and no script that begins with #!: ${path}`,
    );
  });
});

describe('ownershipProblem', () => {
  const owned = (tree: Readonly<Record<string, Ownership>>) => (path: string) => ({
    uid: 0,
    gid: 0,
    mode: 0o755,
    ...tree[path],
    isDirectory: () => path !== '/opt/p/run',
  });
  const table: readonly (readonly [string, Record<string, Ownership>, string | null])[] = [
    ['nobody but root', {}, null],
    ['the agent itself', { '/opt/p': { uid: 7, gid: 7, mode: 0o755 } }, null],
    [
      'the owner of a folder above',
      { '/opt': { uid: 8, gid: 0, mode: 0o755 } },
      '/opt belongs to user 8, who could put another program there (chown root /opt)',
    ],
    [
      'a group',
      { '/opt/p/run': { uid: 0, gid: 9, mode: 0o775 } },
      '/opt/p/run can be written by its group (chmod g-w /opt/p/run)',
    ],
    ['the group of root', { '/opt/p/run': { uid: 0, gid: 0, mode: 0o775 } }, null],
    [
      'everybody',
      { '/opt/p': { uid: 0, gid: 0, mode: 0o777 } },
      '/opt/p can be written by everybody (chmod o-w /opt/p)',
    ],
    ['everybody in a sticky folder', { '/opt': { uid: 0, gid: 0, mode: 0o1777 } }, null],
    [
      'everybody, a file with a sticky bit',
      { '/opt/p/run': { uid: 0, gid: 0, mode: 0o1777 } },
      '/opt/p/run can be written by everybody (chmod o-w /opt/p/run)',
    ],
  ];
  for (const [who, tree, problem] of table) {
    it(`tells whether it can be changed by ${who}`, () => {
      expect(ownershipProblem('/opt/p/run', 7, owned(tree))).toBe(problem);
    });
  }
});

describe('verifyExecutable', () => {
  const verify = (path: string, agentUid: number, more: object = {}) => {
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    return verifyExecutable(path, { agentUid, onWarning, ...more }).then(() => warnings);
  };
  const unsafe = (path: string) => ({
    uid: 0,
    gid: 0,
    mode: path.endsWith('plugin') ? 0o777 : 0o755,
    isDirectory: () => false,
  });

  it('refuses for root, warns for others, and does as it is told', async () => {
    const path = file('plugin', '#!/bin/sh\n');
    await expect(verify(path, 0, { read: unsafe })).rejects.toThrow('written by everybody');
    expect(await verify(path, 7, { read: unsafe })).toHaveLength(1);
    expect(await verify(path, 0, { read: unsafe, policy: 'warn' })).toHaveLength(1);
    await expect(verify(path, 7, { read: unsafe, policy: 'refuse' })).rejects.toThrow('written by');
  });

  it('looks at the script an interpreter is given, too', async () => {
    const path = file('node', '#!/bin/sh\n');
    const script = file('plugin', 'x');
    const message = `${script} can be written by everybody`;
    await expect(verify(path, 0, { read: unsafe, scripts: [script] })).rejects.toThrow(message);
    expect(await verify(path, 0, { read: unsafe })).toEqual([]);
  });

  it('looks at what a link points to, and at where it lies', async () => {
    const target = file('plugin', '#!/bin/sh\n');
    mkdirSync(join(folder, 'open'));
    const link = join(folder, 'open', 'link');
    symlinkSync(target, link);
    const read = (path: string) => ({
      uid: 0,
      gid: 0,
      mode: path.endsWith('/open') ? 0o777 : 0o755,
      isDirectory: () => true,
    });
    await expect(verify(link, 0, { read })).rejects.toThrow(`${folder}/open can be written`);
    expect(await verify(target, 0, { read })).toEqual([]);
  });

  it('checks the digest each time', async () => {
    const path = file('plugin', '#!/bin/sh\n');
    const read = () => ({ uid: 0, gid: 0, mode: 0o755, isDirectory: () => false });
    // printf '#!/bin/sh\n' | sha256sum
    const sha256 = 'B8DDC74E1DBCCA98B4AC0D6C44FF00A66AA7F4E5A1F41AAA3C0BBB77B9F4FB0C';
    const actual = /sha256 is (\w{64})/;
    const error = await verify(path, 0, { read, sha256 }).catch(String);
    const digest = actual.exec(String(error))![1]!;
    expect(await verify(path, 0, { read, sha256: digest.toUpperCase() })).toEqual([]);
    writeFileSync(path, '#!/bin/sh\nrm -rf /\n');
    await expect(verify(path, 0, { read, sha256: digest })).rejects.toThrow(`expected ${digest}`);
  });
});

describe('the line that starts a plugin', () => {
  const spec: PluginSpec = { name: 'p', command: 'p', args: ['-x', '--'] };
  const account = { uid: 65_534, gid: 65_533 };

  it('is the plugin itself where there is no setpriv', () => {
    const line = launchLine('/opt/p', spec, { setpriv: null, isRoot: true, account: null });
    expect(line).toEqual({ command: '/opt/p', args: ['-x', '--'] });
  });

  it('lets it die with the agent', () => {
    const line = launchLine('/opt/p', spec, {
      setpriv: '/bin/setpriv',
      isRoot: false,
      account: null,
    });
    expect([line.command, ...line.args].join(' ')).toBe(
      '/bin/setpriv --pdeathsig KILL -- /opt/p -x --',
    );
  });

  it('gives up what the plugin did not ask for', () => {
    const wanted = { ...spec, user: 'nobody', capabilities: ['sys_rawio', 'syslog'] };
    const line = launchLine('/opt/p', wanted, { setpriv: '/bin/setpriv', isRoot: true, account });
    expect(line.args.join(' ')).toBe(
      '--pdeathsig KILL --reuid 65534 --regid 65533 --clear-groups --no-new-privs' +
        ' --bounding-set -all,+sys_rawio,+syslog --inh-caps -all,+sys_rawio,+syslog' +
        ' --ambient-caps -all,+sys_rawio,+syslog -- /opt/p -x --',
    );
  });

  const problems: readonly (readonly [Partial<PluginSpec>, object, string | null])[] = [
    [{}, {}, null],
    [{ capabilities: ['syslog'] }, {}, 'capabilities need a user to run as (user: …)'],
    [{ user: 'ghost' }, { account: null }, 'there is no user ghost'],
    [
      { user: 'nobody' },
      { isRoot: false },
      'only root can run it as nobody; the agent is not root',
    ],
    [{ user: 'nobody' }, { setpriv: null }, 'setpriv (util-linux) is needed to run it as nobody'],
    [{ user: 'nobody', capabilities: ['syslog'] }, {}, null],
  ];
  for (const [more, options, problem] of problems) {
    it(`says of ${JSON.stringify({ ...more, ...options })}: ${problem ?? 'nothing'}`, () => {
      const machine = { setpriv: '/bin/setpriv', isRoot: true, account, ...options };
      expect(lineProblem({ ...spec, ...more }, machine)).toBe(problem);
    });
  }
});

describe('findAccount', () => {
  it('reads names and numbers', () => {
    const passwd = file('passwd', 'root:x:0:0::/root:/bin/sh\nodd\nweb:x:33:34:::\n');
    expect(findAccount('web', passwd)).toEqual({ uid: 33, gid: 34 });
    expect(findAccount('33', passwd)).toEqual({ uid: 33, gid: 34 });
    expect(findAccount('odd', passwd)).toBe(null);
    expect(findAccount('web', join(folder, 'absent'))).toBe(null);
  });
});

describe('specChange', () => {
  const spec: PluginSpec = { name: 'p', command: 'p', collectors: { cpu: { enabled: true } } };
  it('tells options, which a process can take, from what makes another process', () => {
    expect(specChange(spec, structuredClone(spec))).toBe('none');
    expect(specChange(spec, { ...spec, collectors: {} })).toBe('configure');
    expect(specChange(spec, { ...spec, args: ['-v'] })).toBe('restart');
    expect(specChange(spec, { ...spec, limits: { cpuCores: 2 } })).toBe('restart');
  });
});
