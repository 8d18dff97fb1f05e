// The process of the plugin with everything.

import { serve } from '../../../../plugins/sdk/serve.ts';
import { featuredPlugin } from './featured-plugin.ts';

setInterval(() => process.stdout.write('printed by a library\n'), 50);
await serve(featuredPlugin);
