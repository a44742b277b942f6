import { safeText } from '../../quality';
import { note } from './output';

/** One line of what is going on, on stderr: a spinner on a terminal, elsewhere a line whenever the text changes. */
export interface ProgressLine {
  update(text: string): void;
  /** Prints a line that stays. */
  say(text: string): void;
  stop(): void;
}

const SILENT: ProgressLine = { update: () => {}, say: () => {}, stop: () => {} };

export async function progressLine(options: { quiet?: boolean } = {}): Promise<ProgressLine> {
  if (options.quiet) return SILENT;
  if (!process.stderr.isTTY) return plainLines();
  const { default: ora } = await import('ora');
  // Ora would otherwise keep Ctrl-C from reaching this process as a signal.
  const spinner = ora({ discardStdin: false, stream: process.stderr });
  return {
    update: (text) => {
      spinner.text = safeText(text);
      if (!spinner.isSpinning) spinner.start();
    },
    say: (text) => {
      const spinning = spinner.isSpinning;
      spinner.stop();
      note(text);
      if (spinning) spinner.start();
    },
    stop: () => void spinner.stop(),
  };
}

function plainLines(): ProgressLine {
  let shown = '';
  return {
    update: (text) => {
      if (text === shown) return;
      shown = text;
      note(safeText(text));
    },
    say: note,
    stop: () => {},
  };
}
