import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { type DevServer, loadConnectionSettings, resolveTool, startDevServer } from '../../src/temporal';
import { testUnless } from '../support/needs';

const ROOT = path.join(__dirname, '..', '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly restart: string;
  readonly read_only?: boolean;
  readonly security_opt: readonly string[];
  readonly stop_grace_period?: string;
  readonly env_file?: string;
  readonly profiles?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly networks: object;
}

const text = read('docker-compose.yml');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const worker = compose.services['worker'] as Service;
const dockerfile = read('Dockerfile');
const scripts = readdirSync(path.join(ROOT, 'docker')).filter((name) => name.endsWith('.sh'));

/** All of src, for asking whether a variable is read. */
const source = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(path.join('src', file)))
  .join('\n');

const mounts = (service: Service): { from: string; to: string }[] =>
  (service.volumes ?? []).map((volume) => {
    const [, from, to] = /^(\$\{[^}]*\}|[^:]+):(\/[^:]+)(?::ro)?$/.exec(volume) ?? [];
    if (from === undefined || to === undefined) throw new Error(`cannot read the volume ${volume}`);
    return { from, to };
  });

describe('every service', () => {
  test('has a pinned image, and none that is deprecated', () => {
    for (const [name, { image, build }] of services) {
      if (build !== undefined) continue;
      expect([name, image]).toEqual([name, expect.stringMatching(/^[a-z/-]+:v?\d+\.\d+[\w.-]*$/)]);
      expect(image).not.toMatch(/auto-setup/);
    }
  });

  test('opens its ports on loopback only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/);
  });

  test('may not gain privileges', () => {
    for (const [, service] of services) expect(service.security_opt).toContain('no-new-privileges:true');
    expect(text).not.toMatch(/privileged: true|cap_add|network_mode/);
  });

  test('waits for what it depends on in a way that can come true', () => {
    for (const [, service] of services) {
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        const other = compose.services[name] as Service;
        if (condition === 'service_healthy') expect(other.healthcheck).toBeDefined();
        else expect([condition, other.restart]).toEqual(['service_completed_successfully', 'on-failure']);
      }
    }
  });

  test('uses declared volumes and networks, and none is left over', () => {
    const named = services.flatMap(([, service]) =>
      mounts(service).map(({ from }) => /^\$\{\w+:-(\w[\w-]*)\}$/.exec(from)?.[1] ?? from),
    );
    expect(new Set(named.filter((name) => /^\w[\w-]*$/.test(name)))).toEqual(new Set(Object.keys(compose.volumes)));
    expect(new Set(services.flatMap(([, service]) => service.networks))).toEqual(
      new Set(Object.keys(compose.networks)),
    );
  });

  test('but Temporal and its schema set-up is kept away from the database, which has no way out', () => {
    const near = services.filter(([, { networks }]) => networks.includes('database')).map(([name]) => name);
    expect(near.toSorted()).toEqual(['postgres', 'temporal', 'temporal-schema']);
    expect(compose.networks).toMatchObject({ database: { internal: true } });
  });
});

describe('what the compose file names is there', () => {
  test('the files it mounts', () => {
    const files = services.flatMap(([, service]) => mounts(service)).filter(({ from }) => from.startsWith('./'));
    expect(files.map(({ from }) => path.basename(from)).toSorted()).toEqual(scripts.toSorted());
    for (const { from } of files) expect(existsSync(path.join(ROOT, from))).toBe(true);
  });

  test('the scripts it runs are mounted where it runs them', () => {
    for (const [name, service] of services) {
      if (service.entrypoint === undefined) continue;
      expect([name, ...service.entrypoint]).toEqual([name, '/bin/sh', mounts(service)[0]?.to]);
    }
  });

  test('the variables that its scripts read are set for them', () => {
    for (const [name, service] of services) {
      const script = service.entrypoint?.[1];
      if (script === undefined) continue;
      const body = read(path.join('docker', path.basename(script)));
      const used = [...body.matchAll(/\$\{?([A-Z][A-Z_]+)(:-)?/g)].filter(([, , fallback]) => fallback === undefined);
      for (const [, variable] of used)
        expect([name, Object.keys(service.environment)]).toEqual([name, expect.arrayContaining([variable])]);
    }
  });

  test('the variables of Tidegate that the worker is given are read by the code', () => {
    const image = [...dockerfile.matchAll(/\b(TIDEGATE_\w+)=/g)].map(([, name]) => name ?? '');
    const given = Object.keys(worker.environment).filter((name) => name.startsWith('TIDEGATE_'));
    expect(given).toContain('TIDEGATE_PIPELINES');
    for (const name of [...given, ...image])
      expect([name, new RegExp(`\\benv(\\.|\\[')${name}\\b`).test(source)]).toEqual([name, true]);
  });

  test('the worker is given every setting that tunes it', () => {
    const settings = [...read('docs/operations.md').matchAll(/^\| `(TIDEGATE_\w+)` \|/gm)].map(([, name]) => name);
    const elsewhere = ['TIDEGATE_METRICS_ADDRESS'];
    expect(settings.length).toBeGreaterThan(5);
    for (const name of settings.filter((setting) => !elsewhere.includes(setting ?? '')))
      expect(Object.keys(worker.environment)).toContain(name);
  });

  test("the worker's file of variables is there, sets nothing, and is never committed filled in", () => {
    const [, fallback = ''] = /^\$\{TIDEGATE_WORKER_ENV:-(.+)\}$/.exec(worker.env_file ?? '') ?? [];
    expect(read(fallback).split('\n')).toEqual(expect.not.arrayContaining([expect.stringMatching(/^[^#]/)]));
    expect(read('.gitignore')).toMatch(/^worker\.env$/m);
    expect(read('.env.example')).toMatch(/^#TIDEGATE_WORKER_ENV=worker\.env$/m);
  });

  test("the worker's TEMPORAL_ variables lead to the server and the namespace that is made", () => {
    const env = { ...worker.environment, TEMPORAL_NAMESPACE: 'tides' };
    expect(loadConnectionSettings({ env })).toMatchObject({ address: 'temporal:7233', namespace: 'tides' });
    expect(worker.environment['TEMPORAL_NAMESPACE']).toBe(
      compose.services['temporal-namespace']?.environment['TEMPORAL_NAMESPACE'],
    );
  });

  test('every variable it takes from the environment is explained in .env.example, and no other', () => {
    const used = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
    const explained = new Set([...read('.env.example').matchAll(/^#?([A-Z]\w+)=/gm)].map(([, name]) => name));
    expect(explained).toEqual(used);
  });

  test('no password has a default, and none is committed', () => {
    const passwords = [...text.matchAll(/^\s*\w*(?:PASSWORD|PWD):\s*(.*)$/gm)].map(([, value]) => value ?? '');
    expect(passwords).toHaveLength(3);
    for (const value of passwords) expect(value).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
    expect(read('.env.example')).toMatch(/^POSTGRES_PASSWORD=$/m);
    expect(read('.gitignore')).toMatch(/^\.env$/m);
  });

  test('the S3 server and the second worker are there with the profile only, and the second is as the first', () => {
    const optional = services.filter(([, { profiles }]) => profiles !== undefined);
    expect(optional.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['worker-2', ['lake']],
      ['s3', ['lake']],
    ]);
    const { profiles: _profiles, ...second } = compose.services['worker-2'] as Service;
    expect(second).toEqual(worker);
  });

  test('no key of the S3 server has a default, is committed, or comes to a worker by the compose file', () => {
    const keys = [...text.matchAll(/^\s*ROOT_\w+: (.*)$/gm)].map(([, value]) => value);
    expect(keys).toEqual(['${LAKE_ACCESS_KEY_ID:-}', '${LAKE_SECRET_ACCESS_KEY:-}']);
    expect(read('.env.example')).toMatch(/^#LAKE_ACCESS_KEY_ID=\n#LAKE_SECRET_ACCESS_KEY=$/m);
    expect(Object.keys(worker.environment).filter((name) => /^AWS_|KEY/.test(name))).toEqual([]);
  });

  test("the workers' variables in worker.env.example lead to the S3 server", () => {
    const [, endpoint = ''] = /^#AWS_ENDPOINT_URL=(.+)$/m.exec(read('worker.env.example')) ?? [];
    const { hostname, port } = new URL(endpoint);
    const server = compose.services[hostname] as Service;
    expect(server.environment['VGW_PORT']).toBe(`:${port}`);
    expect(server.ports).toEqual([expect.stringMatching(new RegExp(`:${port}$`))]);
    expect(server.networks.some((network) => worker.networks.includes(network))).toBe(true);
  });

  test('the worker may stop in its own time', () => {
    const force = /\bFORCE = '(\d+) seconds'/.exec(source)?.[1];
    expect(Number(force)).toBeGreaterThan(0);
    expect(Number(/^(\d+)s$/.exec(worker.stop_grace_period ?? '')?.[1])).toBeGreaterThan(Number(force) + 10);
  });
});

describe('the Dockerfile', () => {
  const lines = dockerfile.replaceAll(/\\\n/g, ' ').split('\n');
  const instructions = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  test('copies files that exist and that the build context holds', () => {
    const ignored = read('.dockerignore').split('\n');
    const copied = instructions('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    expect(copied.length).toBeGreaterThan(0);
    for (const file of copied) {
      expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
      expect(ignored).toContain(`!${file}`);
    }
    expect(ignored).toContain('*');
  });

  test('runs npm scripts that exist', () => {
    const scriptsOf = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
    const run = [...dockerfile.matchAll(/npm run (\S+)/g)].map(([, name]) => name ?? '');
    expect(run).toEqual(['build']);
    expect(scriptsOf['build']).toBe('node scripts/build.js');
  });

  test('starts and checks programs that are compiled from src', () => {
    const programs = [...dockerfile.matchAll(/\["node", "dist\/(.+?)\.js"\]/g)].map(([, name]) => name);
    expect(programs).toEqual(['healthcheck', 'worker']);
    for (const name of programs) expect(existsSync(path.join(ROOT, 'src', `${name}.ts`))).toBe(true);
  });

  test('ends as a user that is not root, and never runs install scripts', () => {
    expect(instructions('USER').at(-1)).toBe('node');
    expect(lines.findIndex((line) => line.startsWith('USER'))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('CMD')),
    );
    for (const [install] of dockerfile.matchAll(/npm ci.*/g)) expect(install).toContain('--ignore-scripts');
  });

  test('checks health at the port that the worker is given', () => {
    expect(dockerfile).toMatch(new RegExp(`TIDEGATE_HEALTH_PORT=${worker.environment['TIDEGATE_HEALTH_PORT']}\\b`));
  });
});

/** `docker-compose`, `docker compose`, or null. */
const composeCommand = [['docker-compose'], ['docker', 'compose']].find(
  ([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0,
);
describe('docker-compose itself', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'tidegate-compose-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const config = (variables: string): { status: number | null; output: string } => {
    const [command = '', ...args] = composeCommand ?? [];
    const envFile = path.join(dir, 'env');
    writeFileSync(envFile, variables);
    const env = { PATH: process.env['PATH'], HOME: dir };
    const run = spawnSync(
      command,
      [...args, '--env-file', envFile, '-f', path.join(ROOT, 'docker-compose.yml'), 'config'],
      {
        env,
        encoding: 'utf8',
      },
    );
    return { status: run.status, output: run.stdout + run.stderr };
  };
  const given = 'POSTGRES_PASSWORD=a\nTIDEGATE_CONTRACTS=./pipelines\nTIDEGATE_RAW=./raw\n';
  const ifThere = testUnless(composeCommand === undefined ? 'docker-compose is not installed' : null);

  ifThere('accepts the file', () => {
    const { status, output } = config(given);
    expect(output).toContain('service_completed_successfully');
    expect(status).toBe(0);
  });

  ifThere('says which setting is missing, and where to set it', () => {
    for (const name of ['POSTGRES_PASSWORD', 'TIDEGATE_CONTRACTS', 'TIDEGATE_RAW']) {
      const { status, output } = config(given.replace(new RegExp(`${name}=.*\n`), ''));
      expect(status).not.toBe(0);
      expect(output).toMatch(new RegExp(`set ${name} in \\.env`));
    }
  });

  ifThere('gives variables of a file to the workers alone, and the workers no password', () => {
    const file = path.join(dir, 'worker.env');
    writeFileSync(file, 'TIDEGATE_NOTIFY_URL=https://hooks.example/s3cret\nTEMPORAL_ADDRESS=elsewhere:7233\n');
    const { status, output } = config(given.replace('=a\n', '=pa55word\n') + `TIDEGATE_WORKER_ENV=${file}\n`);
    expect(status).toBe(0);
    const resolved = (parse(output) as Compose).services;
    const holding = (text_: string): string[] =>
      Object.keys(resolved).filter((name) => JSON.stringify(resolved[name]).includes(text_));
    expect(holding('https://hooks.example/s3cret')).toEqual(['worker', 'worker-2']);
    expect(holding('pa55word')).toEqual(['postgres', 'temporal', 'temporal-schema']);
    expect(resolved['worker']?.environment).toMatchObject({ TEMPORAL_ADDRESS: 'temporal:7233' });
  });

  ifThere('lets the published table go to a folder of the host', () => {
    expect(config(`${given}TIDEGATE_CURATED=/srv/curated\n`).output).toMatch(/\/srv\/curated(:\/data\/curated|\n)/);
  });
});

describe('the one-shot scripts', () => {
  let dir: string;
  let server: DevServer | undefined;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'tidegate-scripts-'));
  });
  afterEach(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const runScript = (name: string, env: Record<string, string>): string =>
    execFileSync('/bin/sh', [path.join(ROOT, 'docker', name)], {
      env: { PATH: `${dir}:/usr/bin:/bin`, ...env },
      encoding: 'utf8',
    });

  test('the namespace is made once, and found the second time', async () => {
    server = await startDevServer({ headless: true });
    const cli = (await resolveTool('temporal')).path;
    writeFileSync(path.join(dir, 'temporal'), `#!/bin/sh\nexec ${cli} "$@"\n`);
    chmodSync(path.join(dir, 'temporal'), 0o755);
    const env = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: 'tides',
      NAMESPACE_RETENTION: '30d',
      HOME: dir,
    };
    expect(runScript('temporal-namespace.sh', env)).toContain('successfully registered');
    expect(runScript('temporal-namespace.sh', env)).toContain('namespace tides is there');
  });

  test('both schemas are set up, and the password is never an argument', () => {
    writeFileSync(path.join(dir, 'temporal-sql-tool'), `#!/bin/sh\necho "$*" >> ${dir}/log\n`);
    chmodSync(path.join(dir, 'temporal-sql-tool'), 0o755);
    runScript('temporal-schema.sh', { SQL_PASSWORD: 's3cret' });
    const schema = '/etc/temporal/schema/postgresql/v12';
    expect(readFileSync(path.join(dir, 'log'), 'utf8').trim().split('\n')).toEqual([
      '--db temporal create',
      '--db temporal setup-schema -v 0.0',
      `--db temporal update-schema -d ${schema}/temporal/versioned`,
      '--db temporal_visibility create',
      '--db temporal_visibility setup-schema -v 0.0',
      `--db temporal_visibility update-schema -d ${schema}/visibility/versioned`,
    ]);
  });

  test('the S3 server starts with its bucket, and not without keys', () => {
    writeFileSync(path.join(dir, 'versitygw'), `#!/bin/sh\necho "$*" > ${dir}/log\n`);
    chmodSync(path.join(dir, 'versitygw'), 0o755);
    const env = { LAKE_DIR: path.join(dir, 'data'), LAKE_BUCKET: 'lake', ROOT_ACCESS_KEY_ID: 'a' };
    expect(() => runScript('s3-server.sh', { ...env, ROOT_SECRET_ACCESS_KEY: '' })).toThrow(
      /set LAKE_ACCESS_KEY_ID and LAKE_SECRET_ACCESS_KEY in \.env/,
    );
    expect(existsSync(env.LAKE_DIR)).toBe(false);
    for (let start = 1; start <= 2; start += 1) runScript('s3-server.sh', { ...env, ROOT_SECRET_ACCESS_KEY: 's3cret' });
    expect(existsSync(path.join(env.LAKE_DIR, 'lake'))).toBe(true);
    expect(readFileSync(path.join(dir, 'log'), 'utf8')).toBe(`posix ${env.LAKE_DIR}\n`);
  });

  test('a schema tool that fails stops the script', () => {
    writeFileSync(path.join(dir, 'temporal-sql-tool'), '#!/bin/sh\nexit 1\n');
    chmodSync(path.join(dir, 'temporal-sql-tool'), 0o755);
    expect(() => runScript('temporal-schema.sh', {})).toThrow();
  });
});
