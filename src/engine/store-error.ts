/** How Polars tells that an object store, or the way to it, failed. */
const STORE_ERROR =
  /object-store error|Generic S3 error|Error performing (?:GET|HEAD|PUT|POST)|error sending request|error decoding response body/i;
const REFUSAL = /lacked the necessary privileges|lacked valid authentication/i;

const IO_ERROR = /os error (\d+)/i;
/** Linux errno values of errors that another try may not meet: EPERM, EIO, ENOMEM, EACCES, ENFILE, EMFILE, ENOSPC, ESTALE. */
const RETRYABLE_ERRNO = new Set([1, 5, 12, 13, 23, 24, 28, 116]);

/** Whether what Polars says is about the system or the store, not about the file. */
export const mayPass = (message: string): boolean =>
  isStoreError(message) || RETRYABLE_ERRNO.has(Number(IO_ERROR.exec(message)?.[1]));

export const isStoreError = (message: string): boolean => STORE_ERROR.test(message);

/** What to do where the store refuses for good (401, 403), or null. */
export function refusalOf(message: string): string | null {
  if (!REFUSAL.test(message)) return null;
  return 'access denied. Let the credentials of the worker list the bucket, and get, put and delete objects below this location';
}
