import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type DevServer,
  TemporalUnreachable,
  connect,
  loadConnectionSettings,
  nativeConnect,
  startDevServer,
} from '../../src/temporal';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'tidegate-connection-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function toml(text: string): Promise<Record<string, string>> {
  const file = path.join(dir, 'temporal.toml');
  await writeFile(file, text);
  return { TEMPORAL_CONFIG_FILE: file };
}

describe('settings', () => {
  test('without any are those of the embedded server', () => {
    const env = { TEMPORAL_CONFIG_FILE: path.join(dir, 'nothing.toml') };
    expect(loadConnectionSettings({ env })).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
      profile: 'default',
    });
  });

  test('come from TEMPORAL_ variables', () => {
    const env = { TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'tides' };
    expect(loadConnectionSettings({ env })).toMatchObject({ address: 'temporal.example:7233', namespace: 'tides' });
  });

  test('come from a profile of the TOML file, and variables win over it', async () => {
    const env = await toml(
      '[profile.default]\naddress = "a:1"\n[profile.prod]\naddress = "b:2"\nnamespace = "prod"\napi_key = "s3cret"\n',
    );
    expect(loadConnectionSettings({ env }).address).toBe('a:1');
    const prod = loadConnectionSettings({ env: { ...env, TEMPORAL_PROFILE: 'prod', TEMPORAL_NAMESPACE: 'other' } });
    expect(prod).toMatchObject({ address: 'b:2', namespace: 'other', profile: 'prod' });
    expect(prod.options).toMatchObject({ apiKey: 's3cret', tls: true });
    expect(loadConnectionSettings({ env, profile: 'prod' }).namespace).toBe('prod');
  });

  test('that a caller gives win over both', async () => {
    const env = { ...(await toml('[profile.default]\naddress = "a:1"\n')), TEMPORAL_ADDRESS: 'c:3' };
    expect(loadConnectionSettings({ env, address: 'd:4' })).toMatchObject({
      address: 'd:4',
      options: { address: 'd:4' },
    });
  });

  test('from a profile that is not there are an error that names it', async () => {
    const env = { ...(await toml('[profile.default]\n')), TEMPORAL_PROFILE: 'prod' };
    expect(() => loadConnectionSettings({ env })).toThrow(/profile prod.*TEMPORAL_CONFIG_FILE/);
  });

  test('from a file that is not TOML are an error that shows no secret', async () => {
    const env = await toml('[profile.default]\napi_key = s3cret\n');
    const load = (): unknown => loadConnectionSettings({ env });
    expect(load).toThrow(/configuration \(profile default\) cannot be used: Invalid TOML.* \(line 2, column \d+\)/);
    expect(load).not.toThrow(/s3cret/);
  });
});

describe('when nothing answers', () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket));
  let address: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const env = { TEMPORAL_API_KEY: 's3cret', TEMPORAL_TLS: 'false' };

  test.each([
    ['client', connect],
    ['worker', nativeConnect],
  ])('a %s hears within its time which address, which profile and what to do', async (_, attempt) => {
    for (const at of ['127.0.0.1:1', address]) {
      const started = Date.now();
      const failure: unknown = await attempt(loadConnectionSettings({ address: at, env }), 1_000).catch(
        (e: unknown) => e,
      );
      expect(failure).toBeInstanceOf(TemporalUnreachable);
      const { message } = failure as Error;
      expect(message).toContain(`no Temporal server answers at ${at} (profile default): `);
      expect(message).toContain('`tidegate dev`');
      expect(message).not.toContain('s3cret');
      expect(Date.now() - started).toBeLessThan(3_000);
    }
  });
});

describe('with a server', () => {
  let server: DevServer;
  beforeAll(async () => {
    server = await startDevServer({ headless: true });
  });
  afterAll(() => server.stop());

  test('a client and a worker connect by the settings', async () => {
    const settings = loadConnectionSettings({ env: { TEMPORAL_ADDRESS: server.address } });
    const client = await connect(settings);
    expect(client).toMatchObject({ address: server.address, namespace: 'default' });
    await client.client.workflow.count();
    await client.connection.close();
    const native = await nativeConnect(settings);
    expect(native).toMatchObject({ address: server.address, namespace: 'default' });
    await native.connection.close();
  });
});
