/** The container's health check: exit code 0 while the worker on this host says that it is well. */
import { checkHealth } from './temporal';

const port = Number(process.env.TIDEGATE_HEALTH_PORT);

async function main(): Promise<void> {
  if (!Number.isInteger(port) || port <= 0 || port > 65_535) {
    throw new Error(`TIDEGATE_HEALTH_PORT must be a port, found ${JSON.stringify(process.env.TIDEGATE_HEALTH_PORT)}`);
  }
  const { ok, detail } = await checkHealth(port);
  process.stdout.write(`${detail}\n`);
  process.exitCode = ok ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
