import { Command } from 'commander';
import { registerBackfill } from './backfill';
import { registerCancel } from './cancel';
import { registerCheck } from './check';
import { registerDemo } from './demo';
import { registerDev } from './dev';
import { registerHistory } from './history';
import { registerPath } from './path';
import { registerPause, registerResume } from './pause';
import { registerPlan } from './plan';
import { registerReport } from './report';
import { registerRollback } from './rollback';
import { registerRun } from './run';
import { registerSchedule } from './schedule';
import { registerStatus } from './status';
import { registerVacuum } from './vacuum';
import { registerVerify } from './verify';
import { registerWorker } from './worker';
import { packageVersion } from './support/version';

const NOTES = `
A <pipeline> is a name, looked up in TIDEGATE_PIPELINES (a folder or files; default ./pipelines),
or the path of a contract.

Temporal is reached as by every Temporal tool: TOML profiles and TEMPORAL_* variables
(TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE, …); default 127.0.0.1:7233.

Exit codes:
  0    done (also: nothing to do)
  1    failed
  2    wrong usage or contract: change one of them before trying again
  3    done, but partitions are held until somebody decides (run, plan)
  130  Ctrl-C; a run that was followed goes on

Results go to stdout, progress and messages to stderr. With --json, stdout is one JSON document.
All times are UTC.

Examples:
  $ tidegate demo                                   see all of it work, in under a minute
  $ tidegate check pipelines/transactions.yaml      hold a contract against its source
  $ tidegate plan transactions                      what a run would do, and why
  $ tidegate dev                                    a server and a worker, here
  $ tidegate run transactions                       run, follow, and print what came of it
  $ tidegate backfill transactions --from 2026-05-01 --to 2026-05-07
`;

/** The command line `tidegate`. Parsing errors are thrown, after commander has printed them. */
export function createProgram(): Command {
  const program = new Command('tidegate')
    .description('Incremental Parquet pipelines with quality gates: durable on Temporal, computed by Polars.')
    .version(packageVersion(), '-V, --version')
    .exitOverride()
    // Commands have a --version of their own: that of a table.
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for usage and examples)')
    .showSuggestionAfterError()
    .addHelpText('after', NOTES);

  program.commandsGroup('Look:');
  registerCheck(program);
  registerPlan(program);
  registerStatus(program);
  registerHistory(program);
  registerReport(program);
  registerPath(program);
  program.commandsGroup('Run:');
  registerRun(program);
  registerBackfill(program);
  registerRollback(program);
  registerSchedule(program);
  registerPause(program);
  registerResume(program);
  registerCancel(program);
  program.commandsGroup('Operate:');
  registerVerify(program);
  registerVacuum(program);
  registerWorker(program);
  registerDev(program);
  registerDemo(program);
  return program;
}
