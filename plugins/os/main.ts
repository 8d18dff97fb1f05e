#!/usr/bin/env node
// The os plugin's process.

import { serve } from '../sdk/serve.ts';
import { osPlugin } from './plugin.ts';

await serve(osPlugin);
