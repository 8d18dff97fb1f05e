// Every file in config/ is what the program takes, and the schemas that editors use are those it checks.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configSchemas } from '../../scripts/config-schemas.ts';
import { AgentConfigSchema } from '../../src/cli/agent-config.ts';
import { readConfigFile } from '../../src/cli/config-file.ts';
import { NODE_MIN, nodeProblem } from '../../src/cli/node-version.ts';
import { QueryConfigSchema } from '../../src/cli/query-config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCHEMAS = new Map<string, typeof AgentConfigSchema | typeof QueryConfigSchema>([
  ['agent.yml', AgentConfigSchema],
  ['query.yml', QueryConfigSchema],
]);

describe('config/', () => {
  const examples = readdirSync(`${ROOT}config`).filter(name => /\.ya?ml$/.test(name));

  it('has an example for each mode', () => {
    expect(examples.sort()).toEqual([...SCHEMAS.keys()]);
  });

  it.each(examples)('%s is taken', name => {
    expect(Object.keys(readConfigFile(`${ROOT}config/${name}`, SCHEMAS.get(name)!))).not.toEqual(
      [],
    );
  });

  it.each(examples)('%s names its schema for editors', name => {
    const schema = name.replace(/yml$/, 'schema.json');
    expect(readFileSync(`${ROOT}config/${name}`, 'utf8')).toContain(`$schema=./${schema}\n`);
    expect(configSchemas().has(`config/${schema}`)).toBe(true);
  });

  it.each([...configSchemas()])('%s is current', (path, text) => {
    expect(readFileSync(ROOT + path, 'utf8'), 'run npm run schemas').toBe(text);
  });
});

describe('the Node.js that runs the program', () => {
  it('is the same in package.json and in what an old one is told', () => {
    const { engines } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    expect(engines.node).toBe(`>=${NODE_MIN}`);
  });

  it.each(['20.20.2', '22.17.1', '18.0.0'])('is not %s', version => {
    expect(nodeProblem(version)).toBe(
      `needs Node.js 22.18 or newer, this is ${version}; "npm run outpost --" brings its own`,
    );
  });

  it.each(['22.18.0', '23.0.0', '26.10.0'])('may be %s', version => {
    expect(nodeProblem(version)).toBeNull();
  });
});
