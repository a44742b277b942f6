import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '../errors';
import { acquireFileLock } from './file-lock';
import { type MakeRequest, buildTool, downloadTool } from './make-tool';
import { type ProgressOutput, withProgress } from './progress';
import { lastLines, runCommand } from './run-command';
import { TOOLS, type Tool, type ToolName, binaryName, cachedPath, packagedToolsDir } from './tools';
import { userCacheFolder } from '../user-cache';

const PROBE_MS = 20_000;

/** Which way a binary was come by, in the order in which they are tried. */
export type ToolSource = 'environment' | 'path' | 'cache' | 'download' | 'build';

export interface ResolvedTool {
  /** Absolute path of a binary that ran. */
  readonly path: string;
  readonly source: ToolSource;
  /** Ways that were tried before and why they were passed over. */
  readonly passedOver: readonly Attempt[];
}

export interface Attempt {
  readonly way: string;
  readonly reason: string;
}

export interface ResolveOptions {
  /** Default: the process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where copies are kept; default the user's cache directory, `~/.cache/tidegate` on Linux. */
  readonly cacheDir?: string;
  /** The folder with the pinned Go modules; default the package's own `tools`. */
  readonly toolsDir?: string;
  /** Default stderr. */
  readonly output?: ProgressOutput;
  readonly signal?: AbortSignal;
  /** The download; replaced in tests that must not leave the machine. */
  readonly download?: typeof downloadTool;
}

/** Thrown when no way led to a binary. The message names every way that was tried, its reason, and how to provide one. */
export class ToolNotFound extends Error {
  override readonly name = 'ToolNotFound';
  constructor(
    readonly tool: ToolName,
    readonly attempts: readonly Attempt[],
  ) {
    const { title, envVar, version, needs } = TOOLS[tool];
    const ways = attempts.map(({ way, reason }) => `  - ${way}: ${reason}`).join('\n');
    super(
      `${title} was not found and could not be made.\n${ways}\n` +
        `Provide one in any of these ways:\n` +
        `  - install ${tool} ${version} or later with ${needs}, so that it is on the PATH\n` +
        `  - set ${envVar} to the path of the binary\n` +
        `  - install Go (https://go.dev/dl) and run \`npm run tools:${tool}\` with internet access`,
    );
  }
}

/**
 * A tool's binary, from the first of: its environment variable, the PATH, a copy made before, the
 * SDK's own download, a build from the pinned Go module. Every candidate is run before it is
 * trusted. A binary that is named by the environment and does not work is an error, not a reason to
 * go on: it was asked for.
 * @throws ToolNotFound when none of them gave one.
 */
export async function resolveTool(name: ToolName, options: ResolveOptions = {}): Promise<ResolvedTool> {
  const tool: Tool = TOOLS[name];
  const env = options.env ?? process.env;
  const attempts: Attempt[] = [];

  const named = env[tool.envVar];
  if (named !== undefined && named !== '') {
    const fault = await faultOf(tool, named, env);
    if (fault === null) return { path: path.resolve(named), source: 'environment', passedOver: [] };
    throw new ToolNotFound(name, [
      { way: `${tool.envVar}=${named}`, reason: `${fault} (unset it to try the other ways)` },
    ]);
  }
  attempts.push({ way: tool.envVar, reason: 'not set' });

  const onPath = await findOnPath(binaryName(tool), env);
  if (onPath === null) attempts.push({ way: `${tool.name} on the PATH`, reason: 'not there' });
  else {
    const fault = await faultOf(tool, onPath, env);
    if (fault === null) return { path: onPath, source: 'path', passedOver: attempts };
    attempts.push({ way: `${onPath} on the PATH`, reason: fault });
  }

  const cached = cachedPath(tool, options.cacheDir ?? (await userCacheFolder()));
  const cachedFault = await faultOf(tool, cached, env);
  if (cachedFault === null) return { path: cached, source: 'cache', passedOver: attempts };
  attempts.push({ way: `a copy made before (${cached})`, reason: cachedFault });

  return make(tool, cached, attempts, options);
}

/** Downloads or builds a tool into the cache, one process at a time. */
async function make(tool: Tool, target: string, attempts: Attempt[], options: ResolveOptions): Promise<ResolvedTool> {
  const { output, signal } = options;
  let release: () => Promise<void>;
  try {
    release = await withProgress(
      `Waiting for another process that is getting ${tool.title}`,
      () => acquireFileLock(`${path.dirname(target)}.lock`, signal),
      output,
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw new ToolNotFound(tool.name, [...attempts, { way: `keeping a copy at ${target}`, reason: messageOf(error) }]);
  }
  try {
    const env = options.env ?? process.env;
    // The process that held the lock may have made it.
    if ((await faultOf(tool, target, env)) === null) return { path: target, source: 'cache', passedOver: attempts };
    const toolsDir = options.toolsDir ?? packagedToolsDir();
    for (const { source, way, label, act } of waysToMake(tool, options)) {
      try {
        await withProgress(label, (progress) => act({ tool, target, env, toolsDir, progress, signal }), output);
        const fault = await faultOf(tool, target, env);
        if (fault === null) return { path: target, source, passedOver: attempts };
        attempts.push({ way, reason: fault });
      } catch (error) {
        signal?.throwIfAborted();
        attempts.push({ way, reason: messageOf(error) });
      }
    }
  } finally {
    await release();
  }
  throw new ToolNotFound(tool.name, attempts);
}

interface WayToMake {
  readonly source: ToolSource;
  readonly way: string;
  readonly label: string;
  readonly act: (request: MakeRequest) => Promise<void>;
}

function waysToMake(tool: Tool, { download = downloadTool }: ResolveOptions): WayToMake[] {
  const build: WayToMake = {
    source: 'build',
    way: `a build with Go of ${tool.goPackage} ${tool.version}`,
    label: `Building ${tool.title} ${tool.version} with Go, ${tool.buildTakes}`,
    act: buildTool,
  };
  if (!tool.downloadable) return [build];
  return [
    {
      source: 'download',
      way: `the Temporal SDK's download of version ${tool.version}`,
      label: `Downloading ${tool.title} ${tool.version}`,
      act: download,
    },
    build,
  ];
}

/** Why a binary cannot be used, or null when it ran and can do what is needed. */
async function faultOf(tool: Tool, file: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    await access(file, constants.X_OK);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'not there' : `not executable (${codeOf(error) ?? messageOf(error)})`;
  }
  try {
    const { code, output } = await runCommand(file, tool.probe, { env, timeoutMs: PROBE_MS });
    if (code === 0) return null;
    return `too old or not ${tool.title}: it lacks ${tool.needs}\n${lastLines(output, 2)}`.trimEnd();
  } catch (error) {
    return `did not run (${messageOf(error)})`;
  }
}

async function findOnPath(binary: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    // An empty entry means the current directory to a shell; what lies there is not ours to run.
    if (folder === '') continue;
    const file = path.join(folder, binary);
    const usable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path.resolve(file);
  }
  return null;
}
