#!/usr/bin/env node
// One process for several sets of collectors, named as arguments; without any, for all of them.

import { serve } from '../sdk/serve.ts';
import { combinePlugins } from './combine.ts';
import { isSet, SETS } from './sets.ts';

const names = process.argv.slice(2).filter(isSet);
const wanted = names.length > 0 ? names : Object.keys(SETS).filter(isSet);
await serve(combinePlugins('builtin', await Promise.all(wanted.map(name => SETS[name]()))));
