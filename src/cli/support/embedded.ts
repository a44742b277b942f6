import path from 'node:path';

/** Not there, on purpose: the Temporal settings are then those of the environment alone. (An empty file is an error.) */
const NO_CONFIG = path.join(__dirname, 'no-temporal-config.toml');

/** The environment of a process that shall talk to this server and no other, whatever the user's own settings are. */
export function environmentFor(address: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(rest), TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: NO_CONFIG };
}

/** As {@link environmentFor}, for this very process. */
export function useServer(address: string): void {
  const wanted = environmentFor(address);
  for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name];
  Object.assign(process.env, wanted);
}
