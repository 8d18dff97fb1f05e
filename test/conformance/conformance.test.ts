// Upstream's scripts as a ratchet: no file may pass fewer commands than it did.

import { describe, expect, it } from 'vitest';
import {
  corpusPresent,
  olderScriptNames,
  readScript,
  scriptNames,
  storeScriptNames,
} from './corpus.ts';
import { conformanceEngine, runScript } from './runner.ts';

/** Commands that pass, by file. Raise a number when more do. */
const PASSED: Readonly<Record<string, number>> = {
  'aggregators.test': 160,
  'at_modifier.test': 71,
  'collision.test': 2,
  'duration_expression.test': 59,
  'extended_vectors.test': 169,
  'fill-modifier.test': 46,
  'functions.test': 431,
  'histograms.test': 185,
  'info.test': 42,
  'limit.test': 37,
  'literals.test': 25,
  'name_label_dropping.test': 30,
  'native_histograms.test': 522,
  'operators.test': 213,
  'range_queries.test': 18,
  'selectors.test': 31,
  'staleness.test': 17,
  'start_timestamps.test': 26,
  'subquery.test': 34,
  'trig_functions.test': 19,
  'type_and_unit.test': 58,
};

/** The same of the scripts of version 2. */
const OLDER_PASSED: Readonly<Record<string, number>> = {
  'older/aggregators.test': 82,
  'older/collision.test': 2,
  'older/functions.test': 175,
  'older/histograms.test': 30,
  'older/literals.test': 20,
  'older/operators.test': 90,
  'older/selectors.test': 30,
  'older/staleness.test': 17,
  'older/subquery.test': 31,
};

/** Those over several stores. */
const STORES_PASSED: Readonly<Record<string, number>> = { 'stores/aggregators.test': 41 };

const stores = storeScriptNames().length > 0 ? STORES_PASSED : {};
const older = olderScriptNames().length > 0 ? OLDER_PASSED : {};
if (olderScriptNames().length === 0) console.warn('skipped: the scripts of version 2 are absent');

describe.skipIf(!corpusPresent)('promqltest scripts (skipped where the corpus is absent)', () => {
  it('knows every script', () => {
    expect(Object.keys(PASSED)).toEqual(scriptNames());
    expect(Object.keys(older)).toEqual(olderScriptNames());
    expect(Object.keys(stores)).toEqual(storeScriptNames());
  });

  for (const [name, passed] of Object.entries({ ...PASSED, ...older, ...stores })) {
    it(`${name} passes at least ${passed} commands`, async () => {
      const report = await runScript(readScript(name), conformanceEngine());
      const shown = report.failures.map(f => `${f.line}: ${f.query}: ${f.reason}`).join('\n');
      expect(report.passed, shown).toBeGreaterThanOrEqual(passed);
    });
  }
});
