// The page a browser sees at the root: what is here, to click on.

import type { ApiOptions } from '../options.ts';
import type { ApiRoute } from '../route.ts';

/** `/`: links to the paths of `routes` that need no parameters in the path. */
export function homeRoute({ buildInfo, store }: ApiOptions, routes: readonly ApiRoute[]): ApiRoute {
  const shown = (path: string): boolean => {
    if (path.includes(':') || HIDDEN.includes(path)) return false;
    return store !== undefined || !path.startsWith('/api/v1/status/tsdb');
  };
  const paths = routes
    .filter(({ methods, path }) => methods.includes('GET') && shown(path))
    .map(({ path }) => EXAMPLES[path] ?? path);
  const links = paths.map(path => `<li><a href="${path}">${path}</a></li>`).join('\n');
  const text = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Outpost</title></head>
<body>
<h1>Outpost</h1>
<p>${buildInfo.revision}. Grafana reads this address as a Prometheus data source.</p>
<ul>
${links}
</ul>
</body>
</html>
`;
  return {
    methods: ['GET'],
    path: '/',
    always: true,
    handle: () => ({ kind: 'plain', status: 200, contentType: 'text/html; charset=utf-8', text }),
  };
}

/** What has nothing to show to a reader of pages: an answer without end, one that needs a form. */
const HIDDEN = ['/api/v1/notifications/live', '/api/v1/targets/relabel_steps'];

/** Parameters with which a path that needs some shows something. */
const EXAMPLES: Readonly<Record<string, string>> = {
  '/api/v1/query': '/api/v1/query?query=up',
  '/api/v1/query_range': '/api/v1/query_range?query=up&amp;start=0&amp;end=0&amp;step=1',
  '/api/v1/query_explain': '/api/v1/query_explain?query=sum(rate(up[5m]))',
  '/federate': '/federate?match[]=up',
  '/api/v1/series': '/api/v1/series?match[]=up',
  '/api/v1/format_query': '/api/v1/format_query?query=sum(up)by(job)',
  '/api/v1/parse_query': '/api/v1/parse_query?query=up',
  '/api/v1/query_exemplars': '/api/v1/query_exemplars?query=up',
};
