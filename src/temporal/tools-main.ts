/** `npm run tools:temporal` and its like: makes sure that a tool is there, and prints its path. */
import { messageOf } from '../errors';
import { ToolNotFound, resolveTool } from './binaries';
import { TOOLS, type ToolName } from './tools';

const isTool = (name: string | undefined): name is ToolName => name !== undefined && Object.hasOwn(TOOLS, name);

async function main([name, ...flags]: readonly string[]): Promise<void> {
  if (!isTool(name)) throw new Error(`expected one of ${Object.keys(TOOLS).join(', ')}, found ${name ?? 'nothing'}`);
  try {
    process.stdout.write(`${(await resolveTool(name)).path}\n`);
  } catch (error) {
    // Tests that need an optional tool say so themselves and are skipped by name.
    if (!(error instanceof ToolNotFound && flags.includes('--optional'))) throw error;
    process.stderr.write(`${error.message}\nGoing on without ${TOOLS[name].title}.\n`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
