#!/usr/bin/env node
import { CommanderError } from 'commander';
import { ExitCode, Interrupted, exitCodeOf } from './support/exit';
import { printFailure } from './support/output';
import { createProgram } from './program';

async function main(): Promise<void> {
  // `tidegate history | head` closes our stdout early; that is not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? ExitCode.Done);
  });
  try {
    await createProgram().parseAsync();
  } catch (error) {
    // Commander has printed its own messages.
    if (!(error instanceof CommanderError) && !(error instanceof Interrupted)) {
      printFailure(error, { json: process.argv.includes('--json') });
    }
    process.exitCode = exitCodeOf(error);
  }
}

void main();
