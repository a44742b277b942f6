/** How Polars tells that an object store, or the way to it, failed. */
const STORE_ERROR =
  /object-store error|Generic S3 error|Error performing (?:GET|HEAD|PUT|POST)|error sending request|error decoding response body/i;
const REFUSAL = /lacked the necessary privileges|lacked valid authentication/i;

export const isStoreError = (message: string): boolean => STORE_ERROR.test(message);

/** What to do where the store refuses for good (401, 403), or null. */
export function refusalOf(message: string): string | null {
  if (!REFUSAL.test(message)) return null;
  return 'access denied. Let the credentials of the worker list the bucket, and get, put and delete objects below this location';
}
