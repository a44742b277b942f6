import { devNull } from 'node:os';

/** The environment of a process that shall talk to this server and no other, whatever the user's own settings are. */
export function environmentFor(address: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(rest), TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: devNull };
}

/** As {@link environmentFor}, for this very process. */
export function useServer(address: string): void {
  const wanted = environmentFor(address);
  for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name];
  Object.assign(process.env, wanted);
}
