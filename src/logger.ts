import { type Logger as PinoLogger, pino } from 'pino';

/** Tidegate's one logger: JSON lines on standard error, times in UTC. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

/** `level`: a pino level, or `silent`. */
export function createLogger(level = 'info'): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
}
