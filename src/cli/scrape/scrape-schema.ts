// Prometheus' scrape_configs, and what of `global` is about scraping.

import Type, { type Static } from 'typebox';
import { ESCAPING_SCHEMES } from '../../exposition/escaping.ts';
import { SCRAPE_PROTOCOLS } from '../../scrape/config.ts';
import { closed, PositiveDuration, Size } from '../config-values.ts';
import { discoveryKeys } from './discovery-schema.ts';
import { httpClientKeys } from './http-client-schema.ts';
import { RelabelSchema } from './relabel-schema.ts';

const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const limit = (description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: `${description} 0 is no limit. Default 0.`,
    }),
  );
const choice = <Name extends string>(names: readonly Name[], description: string) =>
  Type.Unsafe<Name>(
    Type.Union(
      names.map(name => Type.Literal(name)),
      { description, examples: [...names] },
    ),
  );

/** Keys of `global` that are the defaults of every job. */
export const scrapeDefaults = {
  scrape_interval: Type.Optional(PositiveDuration('How often targets are scraped. Default 1m.')),
  scrape_timeout: Type.Optional(
    PositiveDuration('How long a scrape may take. Default 10s, but no longer than the interval.'),
  ),
  scrape_protocols: Type.Optional(
    Type.Array(choice(SCRAPE_PROTOCOLS, 'A format.'), {
      minItems: 1,
      description: `Formats that are asked for, the best first: ${SCRAPE_PROTOCOLS.join(', ')}.`,
    }),
  ),
  body_size_limit: Type.Optional(Size('Largest body of a scrape, unpacked. 0 is 256 MiB.')),
  sample_limit: limit('Most samples of a scrape after metric relabelling.'),
  label_limit: limit('Most labels of a series.'),
  label_name_length_limit: limit('Longest name of a label, in bytes.'),
  label_value_length_limit: limit('Longest value of a label, in bytes.'),
  target_limit: limit('Most targets of a job; with more, none is scraped.'),
  keep_dropped_targets: limit('Most dropped targets of a job that are shown.'),
  metric_name_validation_scheme: Type.Optional(
    choice(['utf8', 'legacy'], 'Which names are taken. Default utf8.'),
  ),
  metric_name_escaping_scheme: Type.Optional(
    choice(ESCAPING_SCHEMES, 'How targets are asked to write names. Default allow-utf-8.'),
  ),
  scrape_native_histograms: flag('Ask for native histograms and store them. Default false.'),
  always_scrape_classic_histograms: flag(
    'Store the classic form of a native histogram, too. Default false.',
  ),
  extra_scrape_metrics: flag('Store timeout, limit and body size beside up. Default false.'),
};

const ScrapeConfigSchema = Type.Object(
  {
    job_name: Type.String({ minLength: 1, description: 'Name of the job; the label job.' }),
    ...scrapeDefaults,
    honor_labels: flag('Keep scraped labels where they clash with the target’s. Default false.'),
    honor_timestamps: flag('Store samples with the times they bring. Default true.'),
    track_timestamps_staleness: flag('End series that bring their own times, too. Default false.'),
    metrics_path: Type.Optional(Type.String({ description: 'Default /metrics.' })),
    scheme: Type.Optional(choice(['http', 'https'], 'Default http.')),
    params: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String()), {
        description: 'Parameters of the URL.',
      }),
    ),
    enable_compression: flag('Ask for gzip. Default true.'),
    fallback_scrape_protocol: Type.Optional(
      choice(SCRAPE_PROTOCOLS, 'What a body without a usable Content-Type is read as.'),
    ),
    native_histogram_bucket_limit: limit('Most buckets of a native histogram.'),
    ...httpClientKeys,
    ...discoveryKeys,
    relabel_configs: RelabelSchema('Rules for targets.'),
    metric_relabel_configs: RelabelSchema('Rules for scraped series.'),
  },
  closed,
);

/** The list of jobs. */
export const ScrapeConfigsSchema = Type.Array(ScrapeConfigSchema, {
  description: 'What is scraped, as in Prometheus.',
});

/** What of `global` concerns scraping. */
export type ScrapeDefaults = Static<Type.TObject<typeof scrapeDefaults>>;
/** One job as parsed. */
export type ScrapeBlock = Static<typeof ScrapeConfigSchema>;
