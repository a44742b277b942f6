import { TerminalError } from '../errors';
import { openTable } from '../publish';
import type { OutputName } from '../publish/table';
import { gateNames, sumCounts } from '../quality';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { openPlan } from './plan-document';
import type { ResolutionDocument } from './resolve-keys';
import type { Activities } from './types';

export function transformAndGate(deps: ActivityDeps): Activities['transformAndGate'] {
  return ({ plan: ref, resolution: resolutionRef, group }) =>
    attempt('transformAndGate', async ({ signal, onProgress }) => {
      const { plan, contract, folder } = await openPlan(deps, ref);
      const { directory, partitions: resolved } = await folder.read<ResolutionDocument>(resolutionRef);
      return await folder.staged(async ({ attempt: uuid, draws }) => {
        const table = openTable(contract);
        const inputs = plan.partitions.slice(group.from, group.to).map((partition, i) => {
          const resolution = resolved[group.from + i];
          if (resolution === undefined || (resolution !== null && resolution.date !== partition.date)) {
            throw new TerminalError('CorruptTable', `the resolution of run ${folder.run} is not that of its plan`);
          }
          return {
            contract,
            sourceRoot: contract.source.path,
            partition,
            resolution,
            resolutionDir: directory,
            tableRoot: contract.publish.path,
            outputPath: (name: OutputName) => {
              const key = table.outputPath(name);
              draws(key);
              return key;
            },
            run: folder.run,
            attempt: uuid,
          };
        });
        const results = await deps.engine.transformPartitions(inputs, { signal, onProgress });
        const document = await folder.write('results', results);
        const totals = sumCounts(
          gateNames(contract),
          results.map(({ counts }) => counts),
        );
        return { ...document, totals };
      });
    });
}
