#!/usr/bin/env node
// The hardware plugin's process, where it has one of its own.

import { serve } from '../sdk/serve.ts';
import { hardwarePlugin } from './plugin.ts';

await serve(hardwarePlugin);
