// A plugin that does what its one argument says, without the SDK: for what no SDK would do.

import { spawn } from 'node:child_process';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { outpost } from '../../../../proto/gen/outpost.plugin.v1.js';

const { CollectResponse, ConfigureResponse, DescribeResponse } = outpost.plugin.v1;
type Answer = outpost.plugin.v1.CollectResponse.$Properties;

const behaviour = process.argv[2]!;
const socket = `${process.env['PLUGIN_UNIX_SOCKET_DIR']}/raw-${process.pid}`;
const handshake = `1|1|unix|${socket}|grpc|\n`;

/** A family and series 0 of it, as an honest plugin would send them. */
const HONEST: Answer = {
  definitionSeq: 2,
  families: [{ name: 'raw_gauge', type: 2, help: 'A gauge.', collector: 'raw' }],
  series: [{ id: 0, family: 'raw_gauge', labels: [{ name: 'kind', value: 'honest' }] }],
  ids: [0],
  values: [1],
};

let churned = 0;
let travels = false;

/** Fields of the answer with types of others, names that are no UTF-8, and a marker among the NaNs. */
function wrongTypes(): Uint8Array {
  const honest = CollectResponse.encode(HONEST).finish();
  // time_ms as text, definition_seq as bytes, a label name that is no UTF-8, ids as doubles.
  const odd = [0x0a, 1, 0x78, 0x12, 2, 0xff, 0xfe, 0x22, 4, 0x12, 2, 0xc3, 0x28, 0x29];
  return Uint8Array.from([...honest, ...odd, ...many(8)]);
}

const many = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const ANSWERS: Readonly<Record<string, () => Uint8Array>> = {
  lies: () =>
    CollectResponse.encode({
      ...HONEST,
      timeMs: 12,
      families: [
        ...HONEST.families!,
        { name: '', type: 1 },
        { name: 'raw_bad\ufffd', type: 1 },
        { name: 'raw_gauge', type: 1 },
      ],
      series: [
        ...HONEST.series!,
        { id: 1, family: 'raw_gauge', labels: [{ name: 'kind', value: 'honest' }] },
        { id: 2, family: 'never_described' },
        { id: 3, family: 'raw_gauge', labels: [{ name: 'kind', value: 'x'.repeat(100_000) }] },
        { id: 4, family: 'raw_gauge', labels: [{ name: '__name__', value: 'other' }] },
        { id: 4_000_000_000, family: 'raw_gauge', labels: [{ name: 'kind', value: 'sparse' }] },
      ],
      ids: [0, 0, 1, 2, 3, 4, 77, 4_000_000_000, 0, 0],
      values: [1, 2, 3, 4, 5, 6, 7, 8],
    }).finish(),
  floods: () => {
    const ids = many(500);
    return CollectResponse.encode({
      definitionSeq: 501,
      families: HONEST.families!,
      series: ids.map(id => ({
        id,
        family: 'raw_gauge',
        labels: [{ name: 'request', value: String(id) }],
      })),
      ids,
      values: ids,
    }).finish();
  },
  'series-churn': () => {
    churned += 100;
    const ids = many(100);
    return CollectResponse.encode({
      definitionSeq: churned,
      families: HONEST.families!,
      series: ids.map(id => ({
        id,
        family: 'raw_gauge',
        labels: [{ name: 'request', value: String(churned + id) }],
      })),
      ids,
      values: ids,
    }).finish();
  },
  'long-labels': () =>
    CollectResponse.encode({
      ...HONEST,
      series: [
        ...HONEST.series!,
        { id: 1, family: 'raw_gauge', labels: [{ name: 'kind', value: 'x'.repeat(5000) }] },
      ],
      ids: [0, 1],
      values: [1, 2],
    }).finish(),
  'large-answers': () =>
    CollectResponse.encode({
      ...HONEST,
      failures: [{ collector: 'raw', message: 'x'.repeat(2_000_000) }],
    }).finish(),
  'wrong-types': () => wrongTypes(),
  'travels-in-time': () => {
    travels = !travels;
    const timeMs = Date.now() + (travels ? -86_400_000 : 86_400_000);
    return CollectResponse.encode({ ...HONEST, timeMs }).finish();
  },
  failures: () =>
    CollectResponse.encode({
      ...HONEST,
      failures: many(5000).map(id => ({
        collector: `c${id}`,
        message: `${id} ${process.hrtime.bigint()}`,
      })),
    }).finish(),
  garbage: () => Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256),
  honest: () => CollectResponse.encode(HONEST).finish(),
};

function serve(answer: () => Uint8Array): void {
  const server = new Server();
  const method = (path: string, respond: () => Uint8Array) => ({
    path,
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Buffer) => bytes,
    requestSerialize: (bytes: Buffer) => bytes,
    responseSerialize: () => Buffer.from(respond()),
    responseDeserialize: (bytes: Buffer) => bytes,
  });
  const respond = (_: unknown, callback: (error: null, value: object) => void) =>
    callback(null, {});
  const plugin = '/outpost.plugin.v1.Plugin';
  server.addService(
    {
      describe: method(`${plugin}/Describe`, () =>
        DescribeResponse.encode({ name: 'raw', version: '0' }).finish(),
      ),
      configure: method(`${plugin}/Configure`, () =>
        ConfigureResponse.encode({ status: 1 }).finish(),
      ),
      collect: method(`${plugin}/Collect`, answer),
      check: method('/grpc.health.v1.Health/Check', () => Uint8Array.of(8, 1)),
    },
    { describe: respond, configure: respond, collect: respond, check: respond },
  );
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () =>
    process.stdout.write(handshake),
  );
  process.stdin.on('end', () => process.exit(0)).resume();
}

switch (behaviour) {
  case 'garbage-first':
    process.stdout.write('Welcome to the runtime!\nwarning: 1|2 things | are old\n');
    serve(ANSWERS['honest']!);
    break;
  case 'only-garbage':
    for (let i = 0; i < 200; i++) process.stdout.write(`line ${i}\n`);
    setInterval(() => {}, 1000);
    break;
  case 'wrong-version':
    process.stdout.write('1|9|unix|/nowhere|grpc|\n');
    setInterval(() => {}, 1000);
    break;
  case 'exits':
    process.stderr.write('cannot find the moon\n');
    process.exit(3);
    break;
  case 'bad-cookie':
    process.stderr.write('This is a plugin and is not meant to be run directly.\n');
    process.exit(1);
    break;
  case 'declines':
    process.stderr.write('no such hardware\n');
    process.exit(78);
    break;
  case 'has-children': {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    process.stderr.write(`child is ${child.pid}\n`);
    serve(ANSWERS['honest']!);
    break;
  }
  case 'slow-start':
    setTimeout(() => serve(ANSWERS['honest']!), 1500);
    break;
  case 'never-describes':
    process.stdout.write(handshake);
    setInterval(() => {}, 1000);
    break;
  case 'deaf':
    // Neither asking nor hanging up ends it.
    process.on('SIGTERM', () => {});
    serve(ANSWERS['honest']!);
    process.stdin.removeAllListeners('end');
    setInterval(() => {}, 1000);
    break;
  case 'eats-memory': {
    serve(ANSWERS['honest']!);
    const eaten: Uint8Array[] = [];
    setInterval(() => eaten.push(new Uint8Array(20_000_000).fill(1)), 50);
    break;
  }
  case 'burns':
    serve(ANSWERS['honest']!);
    setInterval(() => {
      const end = performance.now() + 40;
      while (performance.now() < end);
    }, 45);
    break;
  case 'silent':
    setInterval(() => {}, 1000);
    break;
  case 'chatters':
    serve(ANSWERS['honest']!);
    setInterval(() => process.stderr.write('x'.repeat(200_000) + '\nand more\n'.repeat(5000)), 20);
    break;
  default:
    serve(ANSWERS[behaviour]!);
}
