import path from 'node:path';

/** One command line that Tidegate can find or make, and how. */
export interface Tool {
  readonly name: 'temporal' | 'tctl' | 'versitygw';
  /** For messages. */
  readonly title: string;
  /** Without a leading `v`; the version that is downloaded or built, and that the cache is keyed by. */
  readonly version: string;
  /** Environment variable that names the binary to use. */
  readonly envVar: string;
  /** Arguments that succeed exactly when the binary can do what Tidegate needs. */
  readonly probe: readonly string[];
  /** What a binary that fails the probe lacks. */
  readonly needs: string;
  /** Go package built from the pinned module in `tools/<name>`. */
  readonly goPackage: string;
  readonly ldflags: string;
  /** Whether the Temporal SDK can download it. */
  readonly downloadable: boolean;
  /** What a build takes on two cores, for the progress line. */
  readonly buildTakes: string;
}

export const TOOLS = {
  temporal: {
    name: 'temporal',
    title: 'the Temporal CLI',
    version: '1.5.1',
    envVar: 'TIDEGATE_TEMPORAL_CLI',
    probe: ['server', 'start-dev', '--help'],
    needs: '`temporal server start-dev` (CLI 1.0 or later)',
    goPackage: 'github.com/temporalio/cli/cmd/temporal',
    ldflags: '-s -w -X github.com/temporalio/cli/temporalcli.Version=1.5.1',
    downloadable: true,
    buildTakes: 'about 3 minutes, once',
  },
  tctl: {
    name: 'tctl',
    title: 'tctl',
    version: '1.18.0',
    envVar: 'TIDEGATE_TCTL',
    probe: ['workflow', 'start', '--help'],
    needs: '`tctl workflow start`',
    goPackage: 'github.com/temporalio/tctl/cmd/tctl',
    ldflags: '-s -w',
    downloadable: false,
    buildTakes: 'about 90 seconds, once',
  },
  /** Only the project's own tests use it. */
  versitygw: {
    name: 'versitygw',
    title: 'versitygw, an S3 server',
    version: '1.8.0',
    envVar: 'TIDEGATE_VERSITYGW',
    probe: ['posix', '--help'],
    needs: '`versitygw posix`',
    goPackage: 'github.com/versity/versitygw/cmd/versitygw',
    ldflags: '-s -w -X main.Version=1.8.0',
    downloadable: false,
    buildTakes: 'about 3 minutes, once',
  },
} as const satisfies Record<string, Tool>;
export type ToolName = keyof typeof TOOLS;

/** The file name of a tool's binary on this platform. */
export const binaryName = (tool: Tool): string => (process.platform === 'win32' ? `${tool.name}.exe` : tool.name);

/** Where a version of a tool is kept, so that another version or another machine's copy is never mistaken for it. */
export function cachedPath(tool: Tool, cacheDir: string): string {
  return path.join(
    cacheDir,
    'bin',
    `${tool.name}-${tool.version}-${process.platform}-${process.arch}`,
    binaryName(tool),
  );
}

/** The pinned Go modules of the package; the same folder seen from `src/temporal` and from `dist/temporal`. */
export const packagedToolsDir = (): string => path.join(__dirname, '..', '..', 'tools');
