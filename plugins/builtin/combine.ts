// Several plugins as one, so that they share a process: each keeps its collectors under their own names,
// which are unique over all of them.

import type { EventSource } from '../sdk/events.ts';
import type { Capture, Inventory, PluginContext } from '../sdk/features.ts';
import { definePlugin, type Plugin } from '../sdk/runtime.ts';

/** A plugin with all that `plugins` have. Throws where two collectors or functions have one name. */
export function combinePlugins(name: string, plugins: readonly Plugin[]): Plugin {
  const events = plugins.flatMap(plugin => plugin.events ?? []);
  const inventories = plugins.flatMap(plugin => plugin.inventory ?? []);
  const captures = plugins.flatMap(plugin => plugin.capture ?? []);
  return definePlugin({
    name,
    version: plugins[0]?.version ?? '0.0.0',
    collectors: plugins.flatMap(plugin => plugin.collectors),
    functions: plugins.flatMap(plugin => plugin.functions ?? []),
    ...(events.length > 0 && { events: allEvents(events) }),
    ...(inventories.length > 0 && { inventory: allInventories(inventories) }),
    ...(captures.length > 0 && { capture: allCaptures(captures) }),
  });
}

function allEvents(sources: readonly EventSource<PluginContext>[]): EventSource<PluginContext> {
  return {
    declares: sources.flatMap(source => source.declares),
    async watch(context, emit) {
      await Promise.all(sources.map(source => source.watch(context, emit)));
    },
  };
}

function allInventories(inventories: readonly Inventory[]): Inventory {
  return async (context, report) => {
    let waiting = inventories.length;
    const complete = (): void => {
      if (--waiting === 0) report.complete();
    };
    await Promise.all(
      inventories.map(inventory =>
        inventory(context, {
          present: entity => report.present(entity),
          gone: id => report.gone(id),
          complete,
        }),
      ),
    );
  };
}

function allCaptures(captures: readonly Capture[]): Capture {
  return async (context, write) => {
    for (const capture of captures) await capture(context, write);
  };
}
