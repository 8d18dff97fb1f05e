// The handshake of go-plugin, both sides.

import { describe, expect, it } from 'vitest';
import {
  COOKIE_KEY,
  COOKIE_VALUE,
  formatHandshake,
  formatReattach,
  negotiateVersion,
  parseHandshake,
  parseReattach,
} from '../../../plugins/sdk/handshake.ts';
import { definePlugin } from '../../../plugins/sdk/runtime.ts';
import { launchProblem } from '../../../plugins/sdk/serve.ts';

const certificate = 'A'.repeat(60);

describe('parseHandshake', () => {
  const accepted: readonly (readonly [string, object])[] = [
    [
      '1|1|unix|/tmp/p|grpc|',
      { protocolVersion: 1, network: 'unix', address: '/tmp/p', certificate: '' },
    ],
    [
      '1|1|unix|/tmp/p|grpc',
      { protocolVersion: 1, network: 'unix', address: '/tmp/p', certificate: '' },
    ],
    [
      '  1|2|tcp|127.0.0.1:1234|grpc||true\r',
      { protocolVersion: 2, network: 'tcp', address: '127.0.0.1:1234', certificate: '' },
    ],
    [
      `1|1|unix|/tmp/p|grpc|${certificate}`,
      { protocolVersion: 1, network: 'unix', address: '/tmp/p', certificate },
    ],
    [
      '1|1|unix|/tmp/p|grpc|legacy junk',
      { protocolVersion: 1, network: 'unix', address: '/tmp/p', certificate: '' },
    ],
  ];
  for (const [line, handshake] of accepted) {
    it(`reads ${JSON.stringify(line.slice(0, 40))}`, () => {
      expect(parseHandshake(line, [1, 2])).toEqual(handshake);
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ['2|1|unix|/tmp/p|grpc|', 'go-plugin core protocol 2, this host speaks 1'],
    ['1|7|unix|/tmp/p|grpc|', 'plugin protocol version 7, this host speaks 1, 2'],
    ['1|1|pipe|/tmp/p|grpc|', 'network "pipe"'],
    ['1|1|unix||grpc|', 'no address'],
    ['1|1|unix|/tmp/p|netrpc|', 'protocol "netrpc", this host speaks grpc'],
    ['1|1|unix|/tmp/p', 'protocol "netrpc (none named)", this host speaks grpc'],
  ];
  for (const [line, problem] of refused) {
    it(`refuses ${JSON.stringify(line)}`, () => {
      expect(parseHandshake(line, [1, 2])).toEqual({ problem });
    });
  }

  for (const line of [
    '',
    'hello',
    '1|1|unix',
    'a|b|c|d|e',
    'time|level|msg|x',
    '-1|1|unix|/p|grpc',
  ]) {
    it(`takes ${JSON.stringify(line)} for something else`, () => {
      expect(parseHandshake(line, [1])).toBe(null);
    });
  }

  it('reads back what a plugin prints', () => {
    const handshake = {
      protocolVersion: 1,
      network: 'unix',
      address: '/run/p',
      certificate: '',
    } as const;
    expect(formatHandshake(handshake)).toBe('1|1|unix|/run/p|grpc|');
    expect(parseHandshake(formatHandshake(handshake), [1])).toEqual(handshake);
  });
});

describe('negotiateVersion', () => {
  const table: readonly (readonly [string, readonly number[], number])[] = [
    ['1', [1], 1],
    ['1,2,3', [1, 2], 2],
    ['3,1', [3, 2, 1], 3],
    ['7,8', [3, 2], 2],
    ['', [2, 1], 1],
    ['nonsense', [1], 1],
  ];
  for (const [offered, ours, version] of table) {
    it(`answers ${version} when offered "${offered}" and speaking ${ours.join()}`, () => {
      expect(negotiateVersion(offered, ours)).toBe(version);
    });
  }
});

describe('launchProblem', () => {
  const plugin = definePlugin({ name: 'demo', version: '3', collectors: [] });

  it('is nothing when a host started the process', () => {
    expect(launchProblem(plugin, { [COOKIE_KEY]: COOKIE_VALUE })).toBe(null);
  });

  it('says what to do to somebody who started the plugin by hand', () => {
    expect(launchProblem(plugin, {})).toBe(
      'This is the Outpost plugin "demo" 3. A plugin is started by the agent, not by hand: name this ' +
        'command in the agent\'s configuration under "plugins".',
    );
  });

  it('refuses a socket directory whose path is too long for a socket', () => {
    const env = { [COOKIE_KEY]: COOKIE_VALUE, PLUGIN_UNIX_SOCKET_DIR: `/${'x'.repeat(90)}` };
    expect(launchProblem(plugin, env)).toMatch(/too long for a unix socket/);
  });
});

describe('reattaching', () => {
  const at = { protocolVersion: 1, network: 'unix', address: '/tmp/p', pid: 42 };

  it('reads what a debugged plugin prints, alone or by name', () => {
    expect(parseReattach(formatReattach(at))).toEqual(at);
    expect(parseReattach(`{"demo":${formatReattach(at)}}`)).toEqual(at);
  });

  for (const text of ['', '[]', '{}', '{"Protocol":"netrpc","Addr":{}}', '{"a":1}', 'null']) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      expect(parseReattach(text)).toBe(null);
    });
  }
});
