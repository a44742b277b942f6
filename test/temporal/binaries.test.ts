import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ResolveOptions, TOOLS, ToolNotFound, resolveTool } from '../../src/temporal';
import { downloadTool } from '../../src/temporal/make-tool';
import { cachedPath, packagedToolsDir } from '../../src/temporal/tools';

let dir: string;
let written: string[];
let options: ResolveOptions & { env: Record<string, string>; cacheDir: string; toolsDir: string };

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'tidegate-binaries-'));
  written = [];
  options = {
    env: { PATH: path.join(dir, 'bin') },
    cacheDir: path.join(dir, 'cache'),
    toolsDir: path.join(dir, 'tools'),
    output: { write: (text) => written.push(text) },
    download: () => Promise.reject(new Error('the download failed (no internet access?): dns error')),
  };
  await mkdir(path.join(dir, 'tools', 'temporal'), { recursive: true });
  await mkdir(path.join(dir, 'tools', 'tctl'), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function script(file: string, body: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}
const inBin = (name: string, body: string): Promise<string> => script(path.join(dir, 'bin', name), body);
const inCache = (body: string): Promise<string> => script(cachedPath(TOOLS.temporal, options.cacheDir), body);

/** A `go` that logs its arguments and writes, as what it built, a script that does `built`. */
const fakeGo = (built: string, before = ':'): Promise<string> =>
  inBin(
    'go',
    [
      `echo "$PWD $*" >> ${dir}/go.log`,
      before,
      'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done',
      `printf '#!/bin/sh\\n${built}\\n' > "$out"`,
    ].join('\n'),
  );
const goRuns = async (): Promise<string[]> =>
  (await readFile(path.join(dir, 'go.log'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

async function failure(): Promise<ToolNotFound> {
  const error: unknown = await resolveTool('temporal', options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ToolNotFound);
  return error as ToolNotFound;
}

describe('the order in which a binary is looked for', () => {
  test('the environment variable comes before everything', async () => {
    const named = await script(path.join(dir, 'mine'), 'exit 0');
    await inBin('temporal', 'exit 0');
    await inCache('exit 0');
    options.env['TIDEGATE_TEMPORAL_CLI'] = named;
    expect(await resolveTool('temporal', options)).toMatchObject({ path: named, source: 'environment' });
  });

  test('then the PATH', async () => {
    const onPath = await inBin('temporal', 'exit 0');
    await inCache('exit 0');
    expect(await resolveTool('temporal', options)).toMatchObject({ path: onPath, source: 'path' });
  });

  test('then a copy made before', async () => {
    const cached = await inCache('exit 0');
    expect(await resolveTool('temporal', options)).toMatchObject({ path: cached, source: 'cache' });
  });

  test('then the download, which is kept for the next time', async () => {
    await fakeGo('exit 0');
    options = { ...options, download: async ({ target }) => void (await script(target, 'exit 0')) };
    const target = cachedPath(TOOLS.temporal, options.cacheDir);
    expect(await resolveTool('temporal', options)).toMatchObject({ path: target, source: 'download' });
    expect(await resolveTool('temporal', options)).toMatchObject({ path: target, source: 'cache' });
    expect(await goRuns()).toEqual([]);
  });

  test('then a build of the pinned module, which is kept for the next time', async () => {
    await fakeGo('exit 0');
    expect(await resolveTool('temporal', options)).toMatchObject({ source: 'build' });
    expect(await resolveTool('temporal', options)).toMatchObject({ source: 'cache' });
    const runs = await goRuns();
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatch(new RegExp(`/tools/temporal build .*-mod=readonly.*${TOOLS.temporal.goPackage}$`));
  });

  test('tctl is never downloaded', async () => {
    await fakeGo('exit 0');
    options = { ...options, download: () => Promise.reject(new Error('must not be called')) };
    const found = await resolveTool('tctl', options);
    expect(found.source).toBe('build');
    expect(found.passedOver.map(({ way }) => way).join()).not.toMatch(/download/);
  });
});

describe('binaries that do not serve', () => {
  test('one on the PATH without start-dev is passed over, with the reason', async () => {
    const old = await inBin('temporal', 'echo "unknown command start-dev" >&2; exit 1');
    await inCache('exit 0');
    const found = await resolveTool('temporal', options);
    expect(found.source).toBe('cache');
    expect(found.passedOver).toContainEqual({
      way: `${old} on the PATH`,
      reason: expect.stringMatching(/too old.*`temporal server start-dev`[\s\S]*unknown command start-dev/),
    });
  });

  test('one that the environment names is an error, and nothing else is tried', async () => {
    await inBin('temporal', 'exit 0');
    options.env['TIDEGATE_TEMPORAL_CLI'] = path.join(dir, 'nowhere');
    const { message } = await failure();
    expect(message).toContain(`TIDEGATE_TEMPORAL_CLI=${path.join(dir, 'nowhere')}: not there`);
    expect(message).toContain('unset it');
  });

  test('a broken copy made before is made anew', async () => {
    await inCache('exit 126');
    await fakeGo('exit 0');
    expect((await resolveTool('temporal', options)).source).toBe('build');
    expect((await resolveTool('temporal', options)).source).toBe('cache');
  });

  test('a built binary that does not run is not passed off as found', async () => {
    await fakeGo('exit 3');
    expect((await failure()).message).toMatch(/a build with Go .*: too old or not the Temporal CLI/);
  });
});

describe('when there is no way', () => {
  test('the error names every way with its reason, and how to provide one', async () => {
    const { message, attempts } = await failure();
    expect(attempts).toHaveLength(5);
    expect(message).toMatch(/TIDEGATE_TEMPORAL_CLI: not set/);
    expect(message).toMatch(/temporal on the PATH: not there/);
    expect(message).toMatch(/a copy made before \(.*\): not there/);
    expect(message).toMatch(
      /the Temporal SDK's download of version 1\.5\.1: the download failed \(no internet access\?\)/,
    );
    expect(message).toMatch(/a build with Go .*: Go is not on the PATH/);
    expect(message).toMatch(/set TIDEGATE_TEMPORAL_CLI to the path/);
    expect(message).toMatch(/npm run tools:temporal/);
  });

  test("a failing build shows Go's own words", async () => {
    await inBin('go', 'echo "go: verifying github.com/temporalio/cli: checksum mismatch" >&2; exit 1');
    expect((await failure()).message).toMatch(/go build failed\n\s+go: verifying .*: checksum mismatch/);
  });

  test('a cache that cannot be written is named', async () => {
    await writeFile(path.join(dir, 'cache'), 'a file where a folder should be');
    await fakeGo('exit 0');
    expect((await failure()).message).toContain(`keeping a copy at ${cachedPath(TOOLS.temporal, options.cacheDir)}`);
  });

  test('nothing half-made is left behind', async () => {
    await inBin('go', 'exit 1');
    await failure();
    expect(await readdir(path.join(options.cacheDir, 'bin'))).toEqual([]);
  });
});

test('two that ask at once build once', async () => {
  await fakeGo('exit 0', '/bin/sleep 0.5');
  const found = await Promise.all([resolveTool('temporal', options), resolveTool('temporal', options)]);
  expect(found.map(({ source }) => source).toSorted()).toEqual(['build', 'cache']);
  expect(await goRuns()).toHaveLength(1);
});

test('a build that lasts says so, with the seconds gone by', async () => {
  await fakeGo('exit 0', 'echo compiling go.temporal.io/server; /bin/sleep 1.6');
  await resolveTool('temporal', options);
  expect(written.join('')).toMatch(
    /^Building the Temporal CLI 1\.5\.1 with Go.* \(1 s\): compiling go\.temporal\.io\/server$/m,
  );
});

test('a quick build says nothing', async () => {
  await fakeGo('exit 0');
  await resolveTool('temporal', options);
  expect(written).toEqual([]);
});

test('an aborted build ends at once and is not reported as a missing tool', async () => {
  await fakeGo('exit 0', '/bin/sleep 30');
  const aborter = new AbortController();
  setTimeout(() => aborter.abort(new Error('interrupted')), 200);
  const started = Date.now();
  await expect(resolveTool('temporal', { ...options, signal: aborter.signal })).rejects.toThrow('interrupted');
  expect(Date.now() - started).toBeLessThan(5_000);
});

describe("the SDK's download", () => {
  const request = (proxyPort: number, stalledMs: number): Parameters<typeof downloadTool>[0] => ({
    tool: TOOLS.temporal,
    target: path.join(dir, 'cache', 'temporal'),
    env: { ...process.env, HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`, https_proxy: `http://127.0.0.1:${proxyPort}` },
    toolsDir: options.toolsDir,
    progress: { note: () => {} },
    stalledMs,
  });

  test('without a network fails in seconds with one readable line', async () => {
    // Long enough for a busy machine to meet the refusal first.
    await expect(downloadTool(request(1, 60_000))).rejects.toThrow(
      /^the download failed \(no internet access\?\): .+$/,
    );
  });

  test('that stalls is given up', async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = silent.address() as AddressInfo;
      await expect(downloadTool(request(port, 3_000))).rejects.toThrow('nothing came for 3 s');
    } finally {
      silent.close();
    }
  });
});

describe('the pinned Go modules', () => {
  test.each(Object.values(TOOLS))('$name: the module pins the version that is announced', async (tool) => {
    const module = tool.goPackage.split('/').slice(0, 3).join('/');
    const goMod = await readFile(path.join(packagedToolsDir(), tool.name, 'go.mod'), 'utf8');
    expect(goMod).toContain(`tool ${tool.goPackage}\n`);
    expect(goMod).toMatch(new RegExp(`^(require )?\\t?${module} v${tool.version.replaceAll('.', '\\.')}( |$)`, 'm'));
    const goSum = await readFile(path.join(packagedToolsDir(), tool.name, 'go.sum'), 'utf8');
    expect(goSum).toContain(`${module} v${tool.version} h1:`);
  });

  test('are part of the package', async () => {
    const { files } = JSON.parse(await readFile(path.join(packagedToolsDir(), '..', 'package.json'), 'utf8')) as {
      files: string[];
    };
    expect(files).toContain('tools');
  });
});
