/** What a long step says of itself while it lasts. */
export interface Progress {
  /** Sets the detail shown behind the elapsed time. */
  note(detail: string): void;
}

/** Where progress goes; `process.stderr` is one. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

const QUIET_MS = 1_000;
const PLAIN_EVERY_MS = 5_000;

/**
 * Does `work` and shows that it lasts, once it has taken more than a second: a spinner with the
 * elapsed seconds on a terminal, elsewhere a plain line every five seconds.
 */
export async function withProgress<T>(
  label: string,
  work: (progress: Progress) => Promise<T>,
  output: ProgressOutput = process.stderr,
): Promise<T> {
  const started = Date.now();
  let detail = '';
  const text = (): string => {
    const seconds = Math.round((Date.now() - started) / 1000);
    return `${label} (${seconds} s)${detail === '' ? '' : `: ${detail.slice(0, 60)}`}`;
  };
  const stop = output.isTTY === true ? spinner(text) : plainLines(text, output);
  try {
    return await work({
      note: (next) => {
        detail = next;
      },
    });
  } finally {
    stop();
  }
}

function plainLines(text: () => string, output: ProgressOutput): () => void {
  const line = (): void => void output.write(`${text()}\n`);
  let every: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    line();
    every = setInterval(line, PLAIN_EVERY_MS);
  }, QUIET_MS);
  return () => {
    clearTimeout(first);
    clearInterval(every);
  };
}

function spinner(text: () => string): () => void {
  let stopped = false;
  let stop: (() => void) | undefined;
  const first = setTimeout(() => {
    void import('ora').then(({ default: ora }) => {
      if (stopped) return;
      const shown = ora({ text: text(), discardStdin: false }).start();
      const every = setInterval(() => {
        shown.text = text();
      }, 1_000);
      stop = () => {
        clearInterval(every);
        shown.stop();
      };
    });
  }, QUIET_MS);
  return () => {
    stopped = true;
    clearTimeout(first);
    stop?.();
  };
}
