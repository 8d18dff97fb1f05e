// Prometheus' own good and bad configurations, as far as they are about what is built here: scraping,
// relabelling, discovery, the HTTP client block.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AgentConfigSchema } from '../../src/cli/agent-config.ts';
import { parseConfig } from '../../src/cli/config-file.ts';
import {
  HttpClientSchema,
  httpClientMistakes,
  httpClientOptions,
  TlsSchema,
  tlsMistakes,
} from '../../src/cli/scrape/http-client-schema.ts';
import { scrapeConfigs, scrapeMistakes } from '../../src/cli/scrape/scrape-settings.ts';
import { corpusFolder } from '../fakes/corpora.ts';

const PLACE = { directory: '/etc', environment: {} };
/** Parts of a configuration that are other modes' business, or that nothing here has. */
const FOREIGN =
  /^(alerting|otlp|remote_write|remote_read|rule_files|runtime|scrape_config_files|storage|tracing):|^ +(evaluation_interval|query_log_file|rule_query_offset|scrape_failure_log_file):/m;
/** Keys that nothing here has yet. */
const NOT_BUILT_KEYS = /convert_classic_histograms_to_nhcb|kubeconfig_file/;
const BUILT = ['static', 'file', 'http', 'dns', 'kubernetes'];
const NOT_BUILT: Readonly<Record<string, string>> = {
  'http.conf.basic-auth.ref.yaml': 'references to secrets of a manager of secrets',
  'http.conf.invalid-bearer-token-file.bad.yml': 'bad because the file is absent when it is read',
};

function refusal(text: string, name: string): string {
  try {
    const config = parseConfig(text, name, AgentConfigSchema, scrapeMistakes);
    scrapeConfigs(config, PLACE);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const configs = corpusFolder('config');
describe.skipIf(configs === null)('prometheus.yml (skipped without ../shared/corpora)', () => {
  const names = readdirSync(configs ?? '.').filter(name => /\.(good|bad)\.yml$/.test(name));
  const ours = names.filter(name => {
    const text = readFileSync(`${configs}${name}`, 'utf8');
    const kinds = [...text.matchAll(/(\w+?)_(?:sd_)?configs:/g)].map(match => match[1]!);
    const isForeign = FOREIGN.test(text) || NOT_BUILT_KEYS.test(text);
    const known = [...BUILT, 'scrape', 'relabel', 'metric_relabel'];
    return !isForeign && kinds.every(kind => known.includes(kind));
  });

  test('has as many files about scraping as were counted', () => {
    expect(ours.filter(name => name.includes('.good.')).length).toBeGreaterThanOrEqual(20);
    expect(ours.filter(name => name.includes('.bad.')).length).toBeGreaterThanOrEqual(60);
  });

  test.each(ours)('%s', name => {
    const message = refusal(readFileSync(`${configs}${name}`, 'utf8'), name);
    if (name.includes('.good.')) expect(message).toBe('');
    else expect(message).toMatch(new RegExp(`^${name}:\\d+:\\d+: `));
  });
});

const blocks = corpusFolder('http-client-config');
describe.skipIf(blocks === null)('HTTP client blocks (skipped without ../shared/corpora)', () => {
  const names = readdirSync(blocks ?? '.').filter(
    name => /\.(ya?ml|json)$/.test(name) && !(name in NOT_BUILT),
  );

  test.each(names)('%s', name => {
    const text = readFileSync(`${blocks}${name}`, 'utf8');
    const read = (): unknown =>
      name.startsWith('tls')
        ? parseConfig(text, name, TlsSchema, tls => tlsMistakes(tls, []))
        : httpClientOptions(
            parseConfig(text, name, HttpClientSchema, block => httpClientMistakes(block, [])),
            PLACE,
          );
    if (name.includes('bad')) expect(read).toThrow(new RegExp(`^${name}:\\d+:\\d+: `));
    else expect(read).not.toThrow();
  });
});
